using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>The Fréchet distance of samples beside that of held-out real data at the same size.</summary>
internal static class Yardstick
{
    public static FrechetReport Frechet(Tensor samples, Tensor training, Tensor heldOut, ReportOptions options)
    {
        using var scope = NewDisposeScope();
        using var reference = FeatureStatistics.Of(training);
        double distance = Distance(samples, reference);
        var interval = Bootstrap.Interval(
            samples.size(0), i => Distance(samples.index_select(0, i), reference), options.Resamples, options.Level, options.Seed, recentre: true);
        long size = Math.Min(samples.size(0), Math.Min(training.size(0), heldOut.size(0)));
        bool twice = training.size(0) >= 2 * size;
        var (generated, real, within) = (new double[options.Draws], new double[options.Draws], new double[options.Draws]);
        for (int draw = 0; draw < options.Draws; draw++)
        {
            using var one = NewDisposeScope();
            long seed = options.Seed + 1 + draw;
            var rows = Draw(training, twice ? 2 * size : size, seed);
            using var drawn = FeatureStatistics.Of(rows.narrow(0, 0, size));
            generated[draw] = Distance(Draw(samples, size, seed), drawn);
            real[draw] = Distance(Draw(heldOut, size, seed), drawn);
            within[draw] = twice ? Distance(rows.narrow(0, size, size), drawn) : double.NaN;
        }
        var (g, r, w) = (generated.Average(), real.Average(), within.Average());
        return new(
            distance, interval with { Low = Math.Max(0, interval.Low) }, (int)size, g, r,
            Math.Sqrt(real.Average(d => (d - r) * (d - r))), Ratio(g, r), w, Ratio(g, w));
    }

    private static double Ratio(double distance, double yardstick) => yardstick > 0 ? distance / yardstick : double.NaN;

    /// <summary>Rows drawn without replacement.</summary>
    public static Tensor Draw(Tensor rows, long count, long seed)
    {
        using var random = new Generator((ulong)seed);
        return WrappedTensorDisposeScope(() => rows.index_select(0, randperm(rows.size(0), generator: random).narrow(0, 0, count)));
    }

    private static double Distance(Tensor samples, FeatureStatistics reference)
    {
        using var statistics = FeatureStatistics.Of(samples);
        return FrechetDistance.Between(statistics, reference);
    }
}
