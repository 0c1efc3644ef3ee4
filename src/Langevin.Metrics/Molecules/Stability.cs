using static TorchSharp.torch;

namespace Langevin.Metrics.Molecules;

/// <summary>
/// Atom and molecule stability (Satorras et al. 2021, arXiv:2105.09016; Hoogeboom et al. 2022, arXiv:2203.17003): an atom is
/// stable when the orders of its bonds sum to a valency of its element, a molecule when all its atoms are. Bonds must be known.
/// </summary>
public static class Stability
{
    /// <summary>Stable atoms of each molecule and its atoms, both [N], float64.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="valencies"><see cref="Valencies.Edm"/> when null.</param>
    /// <remarks>Atom stability of a resample is the ratio of the sums, not the mean of the molecules' shares.</remarks>
    public static (Tensor stable, Tensor atoms) Atoms(IReadOnlyList<Molecule> molecules, Valencies? valencies = null)
    {
        Check(molecules);
        return (
            tensor(molecules.Select(m => (double)Stable(m, valencies ?? Valencies.Edm)).ToArray(), float64),
            tensor(molecules.Select(m => (double)m.Elements.Count).ToArray(), float64));
    }

    /// <summary>Share of all atoms that are stable, 0 to 1.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="valencies"><see cref="Valencies.Edm"/> when null.</param>
    public static double AtomShare(IReadOnlyList<Molecule> molecules, Valencies? valencies = null)
    {
        Check(molecules);
        return (double)molecules.Sum(m => Stable(m, valencies ?? Valencies.Edm)) / molecules.Sum(m => m.Elements.Count);
    }

    /// <summary>1 for each molecule whose atoms are all stable, else 0: [N], float64. The mean is the molecule stability.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="valencies"><see cref="Valencies.Edm"/> when null.</param>
    public static Tensor Molecules(IReadOnlyList<Molecule> molecules, Valencies? valencies = null)
    {
        Check(molecules);
        return tensor(molecules.Select(m => Stable(m, valencies ?? Valencies.Edm) == m.Elements.Count ? 1.0 : 0.0).ToArray(), float64);
    }

    private static int Stable(Molecule molecule, Valencies valencies) =>
        molecule.Orders().Zip(molecule.Elements, (orders, element) => valencies.Allows(element, orders)).Count(stable => stable);

    internal static void Check(IReadOnlyList<Molecule> molecules)
    {
        ArgumentNullException.ThrowIfNull(molecules);
        if (molecules.Count == 0) throw new ArgumentException("there is no molecule to judge", nameof(molecules));
    }
}
