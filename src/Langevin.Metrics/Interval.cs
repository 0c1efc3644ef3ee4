using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>A confidence interval.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Level">Confidence level, e.g. 0.95.</param>
public readonly record struct Interval(double Low, double High, double Level)
{
    /// <summary>Whether a value lies inside, ends included.</summary>
    public bool Contains(double value) => Low <= value && value <= High;

    /// <summary>Wilson's score interval of a share (Wilson 1927, JASA 22): right at 0 and 1 and for few trials.</summary>
    /// <param name="successes">From 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="level">Between 0 and 1.</param>
    public static Interval Wilson(long successes, long trials, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        if (successes < 0 || successes > trials)
            throw new ArgumentOutOfRangeException(nameof(successes), successes, $"must be from 0 to {trials}");
        double z = NormalQuantile(level), n = trials, p = successes / n;
        double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
        double half = z / (1 + z * z / n) * Math.Sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        return new(successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half, level);
    }

    /// <summary>z such that a standard normal lies in ±z with the given probability.</summary>
    /// <param name="level">Between 0 and 1: 0.95 gives 1.96.</param>
    public static double NormalQuantile(double level)
    {
        CheckLevel(level);
        using var scope = NewDisposeScope();
        return Math.Sqrt(2) * tensor(level, float64).erfinv().item<double>();
    }

    internal static void CheckLevel(double level)
    {
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "must be between 0 and 1, e.g. 0.95");
    }
}
