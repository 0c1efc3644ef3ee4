using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>The descending times a sampler visits; the last is where it stops.</summary>
public sealed partial class TimeGrid
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

    private TimeGrid(double[] times) => this.times = times;

    /// <summary>Times as they are given: ascending for an inversion, or with a time repeated where a published schedule repeats one.</summary>
    /// <exception cref="ArgumentException">Fewer than two times.</exception>
    public static TimeGrid Verbatim(IEnumerable<double> times)
    {
        double[] given = [.. times];
        return given.Length >= 2 ? new(given) : throw new ArgumentException("A time grid needs at least two times: a start and an end.", nameof(times));
    }

    /// <summary>The same times the other way round: from data to noise, for an inversion.</summary>
    public TimeGrid Reversed() => new([.. times.Reverse()]);

    /// <summary>The times, descending unless the grid is <see cref="Verbatim"/> or <see cref="Reversed"/>.</summary>
    public IReadOnlyList<double> Times => times;

    /// <summary>Number of steps: one less than of times.</summary>
    public int Steps => times.Length - 1;

    /// <summary>The time of index <paramref name="i"/>.</summary>
    public double this[int i] => times[i];

    /// <summary>The noise-to-signal ratios σ/α of the times under a process.</summary>
    public IReadOnlyList<double> Sigmas(GaussianProcess process) => [.. times.Select(t => Ratio(process, t))];

    /// <summary>Evenly spaced from the process's largest to its smallest time; with <paramref name="toData"/>, one more step to clean data.</summary>
    public static TimeGrid Uniform(GaussianProcess process, int steps, bool toData = false) => new(ToData(process,
        Betas.Spaced(AtLeastOne(steps) + (toData ? 0 : 1), process.MaxTime, process.MinTime), toData));

    private static IEnumerable<double> ToData(GaussianProcess process, IEnumerable<double> times, bool toData) =>
        toData ? times.Append(process.DataTime) : times;

    private static double Ratio(GaussianProcess process, double t) => process.Sigma(t) / process.Alpha(t);

    private static int AtLeastOne(int steps) => steps > 0 ? steps : throw new ArgumentOutOfRangeException(nameof(steps), steps, "A sampler needs at least one step.");
}
