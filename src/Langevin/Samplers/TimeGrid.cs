using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>The descending times a sampler visits; the last is where it stops.</summary>
public sealed class TimeGrid
{
    private readonly double[] times;

    /// <summary>A grid from a list of times.</summary>
    /// <exception cref="ArgumentException">Fewer than two times, or not descending.</exception>
    public TimeGrid(IEnumerable<double> times)
    {
        this.times = [.. times];
        if (this.times.Length < 2) throw new ArgumentException("A time grid needs at least two times: a start and an end.", nameof(times));
        for (int i = 1; i < this.times.Length; i++)
            if (!(this.times[i] < this.times[i - 1]))
                throw new ArgumentException($"Time {i} of the grid, {this.times[i]}, is not below the one before, {this.times[i - 1]}.", nameof(times));
    }

    /// <summary>The times, descending.</summary>
    public IReadOnlyList<double> Times => times;

    /// <summary>Number of steps: one less than of times.</summary>
    public int Steps => times.Length - 1;

    /// <summary>The time of index <paramref name="i"/>.</summary>
    public double this[int i] => times[i];

    /// <summary>Evenly spaced from the process's largest to its smallest time; with <paramref name="toData"/>, one more step to clean data.</summary>
    public static TimeGrid Uniform(GaussianProcess process, int steps, bool toData = false) => new(ToData(process,
        Betas.Spaced(AtLeastOne(steps) + (toData ? 0 : 1), process.MaxTime, process.MinTime), toData));

    /// <summary>Every step of a table, down to clean data.</summary>
    public static TimeGrid All(DiscreteProcess process) => Spaced(process, process.Steps);

    /// <summary>A subset of a table's steps, evenly spaced with both ends ("linspace", rounded), and then clean data.</summary>
    public static TimeGrid Spaced(DiscreteProcess process, int steps) => steps <= process.Steps
        ? new(ToData(process, Betas.Spaced(AtLeastOne(steps), process.MaxTime, process.MinTime).Select(t => Math.Round(t)), true))
        : throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The process has {process.Steps} steps; sample in at most as many.");

    /// <summary>
    /// Karras' grid (Karras et al. 2022, equation 5): σ^(1/ρ) evenly spaced between the process's largest and smallest noise-to-signal
    /// ratios, and then clean data.
    /// </summary>
    public static TimeGrid Karras(GaussianProcess process, int steps, double rho = 7, double? sigmaMin = null, double? sigmaMax = null)
    {
        double high = Math.Pow(sigmaMax ?? Math.Exp(-process.Lambda(process.MaxTime)), 1 / rho);
        double low = Math.Pow(sigmaMin ?? Math.Exp(-process.Lambda(process.MinTime)), 1 / rho);
        return new(ToData(process, Betas.Spaced(AtLeastOne(steps), high, low).Select(s => process.TimeOfLambda(-rho * Math.Log(s))), true));
    }

    private static IEnumerable<double> ToData(GaussianProcess process, IEnumerable<double> times, bool toData) =>
        toData ? times.Append(process.DataTime) : times;

    private static int AtLeastOne(int steps) => steps > 0 ? steps : throw new ArgumentOutOfRangeException(nameof(steps), steps, "A sampler needs at least one step.");
}
