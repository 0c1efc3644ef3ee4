namespace Langevin.Metrics.Molecules;

/// <summary>
/// Uniqueness and novelty by exact canonical forms (<see cref="CanonicalForm"/>). Papers count them over the valid molecules:
/// filter by <see cref="Validity.IsValid"/> first.
/// </summary>
public static class MoleculeSets
{
    /// <summary>Number of different molecules over number of molecules, above 0 to 1. It falls with their number: compare at one N only.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="orders">Whether bonds of different orders differ.</param>
    public static double Uniqueness(IReadOnlyList<Molecule> molecules, bool orders = true)
    {
        Stability.Check(molecules);
        return (double)CanonicalForm.Distinct(molecules, orders).Count / molecules.Count;
    }

    /// <summary>Share of the different molecules that are not in the training set, 0 to 1.</summary>
    /// <param name="molecules">At least one, with bonds.</param>
    /// <param name="training">Forms of the training set, <see cref="CanonicalForm.Distinct"/> with the same <paramref name="orders"/>; its bonds come by the same way as the molecules'.</param>
    /// <param name="orders">Whether bonds of different orders differ.</param>
    public static double Novelty(IReadOnlyList<Molecule> molecules, IReadOnlySet<string> training, bool orders = true)
    {
        Stability.Check(molecules);
        ArgumentNullException.ThrowIfNull(training);
        var different = CanonicalForm.Distinct(molecules, orders);
        return (double)different.Count(form => !training.Contains(form)) / different.Count;
    }
}
