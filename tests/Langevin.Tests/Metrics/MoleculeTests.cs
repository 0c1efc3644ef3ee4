using Langevin.Metrics;
using Langevin.Metrics.Molecules;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public class MoleculeTests
{
    private static Molecule At(string elements, params (double, double, double)[] positions) => new(elements.Split(' '), positions);

    private static string Bonds(Molecule molecule) => string.Join(' ', molecule.Bonds!.Select(b => $"{b.First}{"?-=#"[b.Order]}{b.Second}"));

    [Fact]
    public void Bonds_of_distances_by_the_published_lengths_and_margins()
    {
        // Up to but not including length and margin: C-C below 1.64, C=C below 1.39, C≡C below 1.23 ångström.
        foreach (var (distance, order) in new[] { (1.22, 3), (1.24, 2), (1.38, 2), (1.40, 1), (1.63, 1), (1.65, 0) })
            Assert.Equal(order, BondInference.FromDistances(At("C C", (0, 0, 0), (0, distance, 0))).Bonds!.Sum(b => b.Order));
        // Water and carbon dioxide; no order that the table has no length for.
        Assert.Equal("0-1 0-2", Bonds(BondInference.FromDistances(At("O H H", (0, 0, 0.1173), (0, 0.7572, -0.4692), (0, -0.7572, -0.4692)))));
        Assert.Equal("0=1 1=2", Bonds(BondInference.FromDistances(At("O C O", (0, 0, -1.162), (0, 0, 0), (0, 0, 1.162)))));
        Assert.Equal("0-1", Bonds(BondInference.FromDistances(At("H H", (0, 0, 0), (0, 0, 0.3)))));
        Assert.Empty(BondInference.FromDistances(At("Na Cl", (0, 0, 0), (0, 0, 1))).Bonds!);
        // The element order of a pair does not matter, margins do.
        Assert.Equal("0=1", Bonds(BondInference.FromDistances(At("S C", (0, 0, 0), (1.6, 0, 0)))));
        Assert.Equal("0-1", Bonds(BondInference.FromDistances(At("S C", (0, 0, 0), (1.6, 0, 0)), new(10, 0, 0))));
    }

    [Fact]
    public void Real_molecules_are_nearly_all_stable_as_the_published_code_has_it()
    {
        var file = Structures.Gdb();
        Molecule[] molecules = [.. file.Select(m => BondInference.FromDistances(m))];
        // The bond rule and valencies of e3_diffusion_for_molecules (commit d28fd52) counted these on the same file.
        using var scope = NewDisposeScope();
        var (stable, atoms) = Stability.Atoms(molecules);
        Assert.Equal(13962, stable.sum().item<double>());
        Assert.Equal(14138, atoms.sum().item<double>());
        Assert.Equal(13962.0 / 14138, Stability.AtomShare(molecules), 1e-12);
        Assert.Equal(915, Stability.Molecules(molecules).sum().item<double>());
        // The paper's valencies call thiols unstable.
        var sulfur = Valencies.Edm.With("S", 2, 4, 6);
        Assert.Equal(13999.0 / 14138, Stability.AtomShare(molecules, sulfur), 1e-12);
        Assert.Equal(944, Stability.Molecules(molecules, sulfur).sum().item<double>());
        Assert.Equal(978, Validity.Of(molecules, sulfur).sum().item<double>());
        Assert.Equal(856, file.Zip(molecules).Count(p => p.First.Bonds!.SequenceEqual(p.Second.Bonds!)));
        // All differ, by networkx 2.8.8's isomorphism test; copies with their atoms in another order do not.
        var random = new Random(1);
        Molecule[] twice = [.. molecules, .. molecules.Select(m => Structures.Shuffled(m, random))];
        Assert.Equal(0.5, MoleculeSets.Uniqueness(twice));
        Assert.Equal(0.25, MoleculeSets.Novelty(twice, CanonicalForm.Distinct(file.Take(750).Select(m => BondInference.FromDistances(m)))));
    }

    [Fact]
    public void Broken_molecules_are_told_by_name()
    {
        var methane = new Molecule("C H H H H".Split(' '), bonds: [new(0, 1, 1), new(2, 0, 1), new(0, 3, 1), new(0, 4, 1)]);
        var methyl = new Molecule("C H H H".Split(' '), bonds: [new(0, 1, 1), new(0, 2, 1), new(0, 3, 1)]);
        var five = new Molecule("C H H H H H".Split(' '), bonds: Enumerable.Range(1, 5).Select(h => new Bond(0, h, 1)));
        var two = new Molecule([.. methane.Elements, "H", "H"], bonds: [.. methane.Bonds!, new(5, 6, 1)]);
        Molecule[] all = [methane, methyl, five, two];
        using var scope = NewDisposeScope();
        Assert.Equal([5, 3, 5, 7], Stability.Atoms(all).stable.data<double>().ToArray());
        Assert.Equal([1, 0, 0, 1], Stability.Molecules(all).data<double>().ToArray());
        Assert.Equal([1, 1, 0, 0], Validity.Of(all).data<double>().ToArray());
        Assert.Equal([1, 1, 0, 1], Validity.Of(all, connected: false).data<double>().ToArray());
        Assert.Equal(CanonicalForm.Of(methane), CanonicalForm.Of(Validity.LargestFragment(two)));
        Assert.Equal(0.75, MoleculeSets.Uniqueness([methane, methyl, five, Validity.LargestFragment(two)]));
        Assert.Equal(1, MoleculeSets.Novelty(all, CanonicalForm.Distinct([])));
        // P may have 3 or 5, N no 5.
        Assert.True(Valencies.Edm.Allows("P", 5) && !Valencies.Edm.Allows("P", 4) && !Valencies.Edm.Allows("N", 5));
        Assert.Equal(5, Valencies.Edm.Most("P"));
    }

    [Fact]
    public void A_batch_of_tensors_becomes_molecules_without_its_padding()
    {
        using var scope = NewDisposeScope();
        var numbers = tensor(new long[] { 1, 0, 9, 8, 1, 1 }).view(2, 3);
        var positions = arange(18, float32).view(2, 3, 3);
        var molecules = Molecule.FromBatch(numbers, positions);
        Assert.Equal(["H", "F"], molecules[0].Elements);
        Assert.Equal([(0.0, 1.0, 2.0), (6.0, 7.0, 8.0)], molecules[0].Positions!);
        Assert.Equal(["O", "H", "H"], molecules[1].Elements);
        Assert.Null(molecules[1].Bonds);
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new Molecule([]));
        Assert.Contains("'c'", Assert.Throws<ArgumentException>(() => new Molecule(["C", "c"])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => At("C C", (0, 0, 0)));
        Assert.Throws<ArgumentException>(() => At("C", (0, double.NaN, 0)));
        foreach (var bond in new Bond[] { new(0, 2, 1), new(-1, 0, 1), new(1, 1, 1), new(0, 1, 0), new(0, 1, 4) })
            Assert.Throws<ArgumentException>(() => new Molecule(["C", "C"], bonds: [bond]));
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => new Molecule(["C", "C"], bonds: [new(0, 1, 1), new(1, 0, 2)])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => BondInference.FromDistances(new(["C"], bonds: [])));
        Assert.Contains("infer", Assert.Throws<ArgumentException>(() => Stability.AtomShare([At("C", (0, 0, 0))])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Stability.AtomShare([]));
        Assert.Contains("Na", Assert.Throws<ArgumentException>(() => Validity.IsValid(new(["Na"], bonds: []))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Valencies.Edm.With("Xx", 1));
        Assert.Throws<ArgumentException>(() => Valencies.Edm.With("C"));
        Assert.Throws<ArgumentException>(() => MoleculeSets.Uniqueness([]));
        Assert.Throws<ArgumentException>(() => Molecule.FromBatch(ones(1, 2), ones(1, 2, 3)));
        Assert.Throws<ArgumentException>(() => Molecule.FromBatch(ones([1, 2], int64), ones(1, 3, 3)));
        Assert.Throws<ArgumentException>(() => Molecule.FromBatch(full([1, 2], 119, int64), ones(1, 2, 3)));
        Assert.Throws<ArgumentException>(() => Molecule.FromBatch(zeros([1, 2], int64), ones(1, 2, 3)));
    }
}
