namespace Langevin.Metrics.Molecules;

/// <summary>How much longer than typical a bond may be, in picometres (Hoogeboom et al. 2022, arXiv:2203.17003).</summary>
/// <param name="Single">Of a single bond.</param>
/// <param name="Double">Of a double bond.</param>
/// <param name="Triple">Of a triple bond.</param>
public sealed record BondMargins(double Single = 10, double Double = 5, double Triple = 3)
{
    internal double Of(int order) => order switch { 1 => Single, 2 => Double, _ => Triple };
}

/// <summary>Bonds from the distances of atoms.</summary>
public static class BondInference
{
    private static readonly BondMargins published = new();

    /// <summary>
    /// The molecule with the bonds of the EDM paper's rule (Hoogeboom et al. 2022, appendix): two atoms nearer than the
    /// single bond's length and margin are joined; by the highest order whose length and margin, and those of all lower
    /// orders, are not reached either. Bonds that the molecule has are replaced.
    /// </summary>
    /// <param name="molecule">With positions.</param>
    /// <param name="margins">The paper's 10, 5 and 3 pm when null.</param>
    /// <remarks>Pairs of elements that the table has no length for, metals among them, are never joined.</remarks>
    public static Molecule FromDistances(Molecule molecule, BondMargins? margins = null)
    {
        ArgumentNullException.ThrowIfNull(molecule);
        var at = molecule.Positions ?? throw new ArgumentException("the molecule has no positions to take distances of", nameof(molecule));
        margins ??= published;
        var bonds = new List<Bond>();
        for (int i = 0; i < at.Count; i++)
            for (int j = i + 1; j < at.Count; j++)
            {
                var (x, y, z) = (at[i].X - at[j].X, at[i].Y - at[j].Y, at[i].Z - at[j].Z);
                int order = Order(molecule.Elements[i], molecule.Elements[j], 100 * Math.Sqrt(x * x + y * y + z * z), margins);
                if (order > 0) bonds.Add(new(i, j, order));
            }
        return molecule.WithBonds(bonds);
    }

    private static int Order(string first, string second, double picometres, BondMargins margins)
    {
        int order = 0;
        while (order < 3 && BondLengths.Of(first, second, order + 1) is { } length && picometres < length + margins.Of(order + 1)) order++;
        return order;
    }
}
