using System.Collections.Immutable;
using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>A way to space a grid's times, as it is known by name.</summary>
/// <param name="Name">Its name, in lower case.</param>
/// <param name="Description">What it is, in one line.</param>
/// <param name="Create">The grid of a process with a number of steps, the last of them to clean data.</param>
public sealed record GridEntry(string Name, string Description, Func<GaussianProcess, int, TimeGrid> Create)
{
    /// <summary>Which processes it serves; all unless told otherwise.</summary>
    public Predicate<GaussianProcess> RunsOn { get; init; } = _ => true;
}

/// <summary>The spacings of times by name: what <c>--grid</c> takes. Those by σ/α begin at 80 where a process that scales the signal ends above it.</summary>
public static class GridRegistry
{
    private static ImmutableList<GridEntry> entries =
    [
        new("uniform", "even in the process's time", (p, n) => TimeGrid.Uniform(p, n, toData: true)) { RunsOn = p => p is not DiscreteProcess },
        new("linspace", "an even subset of a table's steps with both ends", (p, n) => TimeGrid.Spaced((DiscreteProcess)p, n)) { RunsOn = p => p is DiscreteProcess },
        new("leading", "an integer stride from a table's first step up", (p, n) => TimeGrid.Leading((DiscreteProcess)p, n)) { RunsOn = p => p is DiscreteProcess },
        new("trailing", "an even stride from a table's last step down", (p, n) => TimeGrid.Trailing((DiscreteProcess)p, n)) { RunsOn = p => p is DiscreteProcess },
        new("karras", "σ^(1/7) even (Karras et al. 2022)", (p, n) => TimeGrid.Karras(p, n, sigmaMax: Largest(p))),
        new("exponential", "log σ, and so the log-SNR, even", (p, n) => TimeGrid.Exponential(p, n, sigmaMax: Largest(p))),
        new("beta", "σ at the quantiles of Beta(0.6, 0.6) (Lee et al. 2024)", (p, n) => TimeGrid.Beta(p, n, sigmaMax: Largest(p))),
    ];

    /// <summary>All of them, those registered last at the end.</summary>
    public static IReadOnlyList<GridEntry> All => entries;

    /// <summary>Makes a spacing known by name, instead of one of the same name.</summary>
    public static void Register(GridEntry entry) => ImmutableInterlocked.Update(ref entries, known => known.RemoveAll(e => e.Name == entry.Name).Add(entry));

    /// <summary>The spacing a process has unless told otherwise: a table's even subset, Karras' for EDM's process, even in time for the others.</summary>
    public static string NameFor(GaussianProcess process) => process switch { DiscreteProcess => "linspace", EdmProcess => "karras", _ => "uniform" };

    /// <summary>A grid by name.</summary>
    /// <param name="name">The name; null for the process's usual one.</param>
    /// <param name="process">The process.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="toData">Whether the last step goes to clean data, or the grid ends at the spacing's smallest time above that.</param>
    /// <exception cref="ArgumentException">There is none of this name, or not for this process.</exception>
    public static TimeGrid Create(string? name, GaussianProcess process, int steps, bool toData = true)
    {
        name ??= NameFor(process);
        var entry = entries.Find(e => e.Name == name && e.RunsOn(process))
            ?? throw new ArgumentException($"There is no grid '{name}' for this process; there are {string.Join(", ", entries.Where(e => e.RunsOn(process)).Select(e => e.Name))}.", nameof(name));
        // A table's first step is a whole step from data, and EDM's process has data at σ = 0: only the others end above it.
        return toData || process is DiscreteProcess or EdmProcess ? entry.Create(process, steps) : new(entry.Create(process, steps + 1).Times.SkipLast(1));
    }

    // Where the signal fades, σ/α ends far above what matters, or at ∞: EDM's largest is noise enough (Karras et al. 2022, table 1).
    private static double? Largest(GaussianProcess process)
    {
        double last = process.Alpha(process.MaxTime);
        return last == 1 ? null : Math.Min(80, last > 0 ? process.Sigma(process.MaxTime) / last : double.PositiveInfinity);
    }
}
