using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Resampling with replacement: how much a statistic would change with other samples (Efron 1979).</summary>
public static class Bootstrap
{
    /// <summary>Percentile interval of a statistic over n samples.</summary>
    /// <param name="count">Number of samples n.</param>
    /// <param name="statistic">The statistic of the samples whose indices, int64 [n], it is given.</param>
    /// <param name="resamples">How many resamples, at least 10; 200 settle a 95 % interval for a report.</param>
    /// <param name="level">Confidence level.</param>
    /// <param name="seed">Seed of the resampling.</param>
    /// <param name="recentre">
    /// For statistics that a resample's repeated samples bias (Fréchet distance, nearest neighbours): moves the interval
    /// so that the mean of the resamples falls on the statistic of the samples themselves.
    /// </param>
    public static Interval Interval(
        long count, Func<Tensor, double> statistic, int resamples = 200, double level = 0.95, long seed = 0, bool recentre = false)
    {
        Metrics.Interval.CheckLevel(level);
        double[] values = Resamples(count, statistic, resamples, seed);
        double shift = 0;
        if (recentre)
        {
            using var all = arange(count, int64);
            shift = statistic(all) - values.Average();
        }
        Array.Sort(values);
        return new(Quantile(values, (1 - level) / 2) + shift, Quantile(values, (1 + level) / 2) + shift, level);
    }

    /// <summary>The statistic of each resample, in the order drawn.</summary>
    public static double[] Resamples(long count, Func<Tensor, double> statistic, int resamples = 200, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(statistic);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 10);
        using var random = new Generator((ulong)seed);
        var values = new double[resamples];
        for (int i = 0; i < resamples; i++)
        {
            using var scope = NewDisposeScope();
            values[i] = statistic(randint(count, [count], int64, generator: random));
        }
        return values;
    }

    /// <summary>Linear interpolation between order statistics.</summary>
    internal static double Quantile(ReadOnlySpan<double> sorted, double q)
    {
        double at = q * (sorted.Length - 1);
        int below = (int)at;
        return below + 1 < sorted.Length ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}
