using Langevin.Processes;

namespace Langevin.Samplers;

// Subsets of a table's steps, as published samplers choose them. All are times n of the table, and then the end.
public sealed partial class TimeGrid
{
    /// <summary>Every step of a table, down to clean data.</summary>
    public static TimeGrid All(DiscreteProcess process) => Spaced(process, process.Steps);

    /// <summary>A subset of a table's steps, evenly spaced with both ends ("linspace", rounded), and then clean data.</summary>
    public static TimeGrid Spaced(DiscreteProcess process, int steps) =>
        AtMostAll(process, steps, Betas.Spaced(AtLeastOne(steps), steps == 1 ? process.MaxTime : 0, process.MaxTime).Select(n => Math.Round(n)).Reverse(), true);

    /// <summary>A subset with the integer stride T/steps, from <paramref name="offset"/> up ("leading"); it never visits the noisiest steps.</summary>
    /// <param name="process">The table.</param>
    /// <param name="steps">Number of steps, at most T.</param>
    /// <param name="offset">Added to every step; 1 in Stable Diffusion.</param>
    /// <param name="toData">Whether the end is clean data, or step 0 (where the offset leaves room for it).</param>
    public static TimeGrid Leading(DiscreteProcess process, int steps, int offset = 0, bool toData = true) =>
        AtMostAll(process, steps, Enumerable.Range(0, AtLeastOne(steps)).Select(i => i * (process.Steps / steps) + (double)offset).Reverse(), toData);

    /// <summary>A subset with the stride T/steps, from the noisiest step down ("trailing").</summary>
    /// <param name="process">The table.</param>
    /// <param name="steps">Number of steps, at most T.</param>
    public static TimeGrid Trailing(DiscreteProcess process, int steps) => AtMostAll(process, steps,
        Enumerable.Range(0, AtLeastOne(steps)).Select(i => Math.Round(process.Steps - i * ((double)process.Steps / steps)) - 1), true);

    /// <summary>
    /// A subset given as in guided diffusion (<see cref="Respacing"/>): counts of steps for equal sections of the table, from the
    /// least noise up ("10,15,20"), or "ddimN" for N steps of one integer stride; and then clean data.
    /// </summary>
    /// <param name="process">The table.</param>
    /// <param name="sections">The counts.</param>
    /// <exception cref="ArgumentException">The text is neither, or asks for more steps than there are.</exception>
    public static TimeGrid Sections(DiscreteProcess process, string sections) =>
        new(ToData(process, Respacing.Steps(process.Steps, sections).Reverse().Select(n => (double)n), true));

    private static TimeGrid AtMostAll(DiscreteProcess process, int steps, IEnumerable<double> times, bool toData)
    {
        if (steps > process.Steps) throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The process has {process.Steps} steps; sample in at most as many.");
        double[] chosen = [.. times];
        if (chosen[0] > process.MaxTime) throw new ArgumentException($"The first step, {chosen[0]}, is beyond the table's last, {process.MaxTime}: take a smaller offset or fewer steps.", nameof(steps));
        if (toData) return new(chosen.Append(process.DataTime));
        return new(chosen[^1] > 0 ? chosen.Append(0) : chosen);
    }
}
