using static TorchSharp.torch;

namespace Langevin.Metrics.Molecules;

/// <summary>
/// A molecule, or what a model takes for one: elements, positions where it is a geometry, bonds where they are known. Immutable.
/// Hydrogen atoms are atoms like the others: none are implied.
/// </summary>
public sealed class Molecule
{
    /// <summary>Copies what it is given.</summary>
    /// <param name="elements">Symbols of the elements, e.g. "C"; at least one.</param>
    /// <param name="positions">One position an atom in ångström; null for a graph without geometry.</param>
    /// <param name="bonds">Each pair of atoms at most once, in any order; null where unknown.</param>
    /// <exception cref="ArgumentException">A symbol that is no element's, another number of positions, a position that is not finite, a bond that cannot be.</exception>
    public Molecule(IEnumerable<string> elements, IEnumerable<(double X, double Y, double Z)>? positions = null, IEnumerable<Bond>? bonds = null)
    {
        ArgumentNullException.ThrowIfNull(elements);
        Elements = Array.AsReadOnly(elements.ToArray());
        if (Elements.Count == 0) throw new ArgumentException("a molecule has at least one atom", nameof(elements));
        if (Elements.FirstOrDefault(e => !Element.Exists(e)) is { } strange)
            throw new ArgumentException($"'{strange}' is no element: write symbols such as C or Cl", nameof(elements));
        if (positions is not null) Positions = Array.AsReadOnly(Checked(positions.ToArray()));
        if (bonds is not null) Bonds = Array.AsReadOnly(Checked(bonds.ToArray()));
    }

    /// <summary>Symbols of the elements.</summary>
    public IReadOnlyList<string> Elements { get; }

    /// <summary>Positions in ångström; null for a graph without geometry.</summary>
    public IReadOnlyList<(double X, double Y, double Z)>? Positions { get; }

    /// <summary>Bonds, the lower atom first, in order; null where unknown.</summary>
    public IReadOnlyList<Bond>? Bonds { get; }

    /// <summary>The same atoms with these bonds.</summary>
    public Molecule WithBonds(IEnumerable<Bond> bonds)
    {
        ArgumentNullException.ThrowIfNull(bonds);
        return new(Elements, Positions, bonds);
    }

    /// <summary>The molecules of a batch, bonds unknown.</summary>
    /// <param name="atomicNumbers">Integers [N, A] from 1 to 118, 0 where a molecule has no atom.</param>
    /// <param name="positions">[N, A, 3] in ångström.</param>
    public static IReadOnlyList<Molecule> FromBatch(Tensor atomicNumbers, Tensor positions)
    {
        ArgumentNullException.ThrowIfNull(atomicNumbers);
        ArgumentNullException.ThrowIfNull(positions);
        if (atomicNumbers.dim() != 2 || !atomicNumbers.is_integral() || positions.dim() != 3 || positions.size(2) != 3
            || !positions.shape.AsSpan(0, 2).SequenceEqual(atomicNumbers.shape))
            throw new ArgumentException($"expected integers [N, A] and positions [N, A, 3], got {atomicNumbers.dtype} {Require.Shape(atomicNumbers)} and {Require.Shape(positions)}", nameof(atomicNumbers));
        using var scope = NewDisposeScope();
        long[] numbers = atomicNumbers.cpu().to(int64).contiguous().data<long>().ToArray();
        double[] flat = positions.detach().cpu().to(float64).contiguous().data<double>().ToArray();
        int width = (int)atomicNumbers.size(1);
        var molecules = new Molecule[atomicNumbers.size(0)];
        for (int n = 0; n < molecules.Length; n++)
        {
            int[] atoms = [.. Enumerable.Range(n * width, width).Where(a => numbers[a] != 0)];
            if (atoms.Length == 0) throw new ArgumentException($"molecule {n} has no atom", nameof(atomicNumbers));
            molecules[n] = new(atoms.Select(a => Element.Symbol(numbers[a])), atoms.Select(a => (flat[3 * a], flat[3 * a + 1], flat[3 * a + 2])));
        }
        return molecules;
    }

    private (double, double, double)[] Checked((double X, double Y, double Z)[] positions)
    {
        if (positions.Length != Elements.Count)
            throw new ArgumentException($"{positions.Length} positions for {Elements.Count} atoms", nameof(positions));
        int wrong = Array.FindIndex(positions, p => !double.IsFinite(p.X + p.Y + p.Z));
        if (wrong >= 0) throw new ArgumentException($"the position of atom {wrong} is not finite", nameof(positions));
        return positions;
    }

    private Bond[] Checked(Bond[] bonds)
    {
        foreach (var b in bonds)
            if (b.First < 0 || b.Second < 0 || b.First >= Elements.Count || b.Second >= Elements.Count || b.First == b.Second || b.Order is < 1 or > 3)
                throw new ArgumentException($"{b} joins no two of {Elements.Count} atoms by 1 to 3 electron pairs", nameof(bonds));
        Bond[] sorted = [.. bonds.Select(b => b.First < b.Second ? b : b with { First = b.Second, Second = b.First }).OrderBy(b => (b.First, b.Second))];
        for (int i = 1; i < sorted.Length; i++)
            if (sorted[i].First == sorted[i - 1].First && sorted[i].Second == sorted[i - 1].Second)
                throw new ArgumentException($"atoms {sorted[i].First} and {sorted[i].Second} are joined twice: give one bond with its order", nameof(bonds));
        return sorted;
    }
}
