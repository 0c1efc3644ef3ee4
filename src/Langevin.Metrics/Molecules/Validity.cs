using static TorchSharp.torch;

namespace Langevin.Metrics.Molecules;

/// <summary>
/// Validity as a graph: one fragment, no valency exceeded. This is not RDKit's sanitisation, which published validities mean:
/// charges, radicals and aromaticity are not looked at, and too few bonds do no harm.
/// </summary>
public static class Validity
{
    /// <summary>Whether a molecule is valid.</summary>
    /// <param name="molecule">With bonds.</param>
    /// <param name="valencies"><see cref="Valencies.Edm"/> when null.</param>
    /// <param name="connected">Whether it must be one fragment; <see cref="LargestFragment"/> first is the other way.</param>
    public static bool IsValid(Molecule molecule, Valencies? valencies = null, bool connected = true)
    {
        valencies ??= Valencies.Edm;
        return molecule.Orders().Zip(molecule.Elements, (orders, element) => orders <= valencies.Most(element)).All(kept => kept)
            && (!connected || molecule.Fragments().Max() == 0);
    }

    /// <summary>1 for each valid molecule, else 0: [N], float64. The mean is the validity.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="valencies"><see cref="Valencies.Edm"/> when null.</param>
    /// <param name="connected">Whether each must be one fragment.</param>
    public static Tensor Of(IReadOnlyList<Molecule> molecules, Valencies? valencies = null, bool connected = true)
    {
        Stability.Check(molecules);
        return tensor(molecules.Select(m => IsValid(m, valencies, connected) ? 1.0 : 0.0).ToArray(), float64);
    }

    /// <summary>The fragment of most atoms, the first of equals: what published uniqueness is counted on.</summary>
    /// <param name="molecule">With bonds.</param>
    public static Molecule LargestFragment(Molecule molecule)
    {
        int[] fragment = molecule.Fragments();
        int largest = fragment.GroupBy(f => f).MaxBy(g => g.Count())!.Key;
        int[] atoms = [.. Enumerable.Range(0, fragment.Length).Where(a => fragment[a] == largest)];
        var place = atoms.Select((atom, k) => (atom, k)).ToDictionary(p => p.atom, p => p.k);
        return new(
            atoms.Select(a => molecule.Elements[a]),
            molecule.Positions is { } at ? atoms.Select(a => at[a]) : null,
            molecule.KnownBonds().Where(b => fragment[b.First] == largest).Select(b => new Bond(place[b.First], place[b.Second], b.Order)));
    }
}
