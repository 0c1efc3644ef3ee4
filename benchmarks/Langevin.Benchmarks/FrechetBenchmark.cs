using System.Diagnostics;
using System.Globalization;
using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>
/// The Fréchet distance of two sets of 50,000 × 2,048 features, streamed, and the same in NumPy and SciPy
/// (benchmarks/frechet_numpy.py) where Python has them.
/// </summary>
internal static class FrechetBenchmark
{
    private const int Rows = 50_000, Width = 2048, Batch = 500;

    public static Table Run(Machine machine)
    {
        var table = new Table("what", "statistics of both sets", "distance", "together", "peak memory", "value")
        {
            Note = $"Two sets of {Rows:n0} × {Width:n0} normal features in batches of {Batch}, drawn outside the time measured. NumPy keeps running sums in float64; SciPy's sqrtm gives the distance, as pytorch-fid computes it. "
                + "The value of independent draws differs a little; its bias is that of the counts.",
        };
        double[] ours = Ours();
        table.Add("Langevin", $"{ours[0]:f1} s", $"{ours[1]:f1} s", $"{ours[0] + ours[1]:f1} s", $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB", $"{ours[2]:f2}");
        if (Python.Run("frechet_numpy.py", [.. new[] { Rows, Width, Batch, get_num_threads() }.Select(n => n.ToString(CultureInfo.InvariantCulture))]) is { } numpy)
        {
            double statistics = (double)numpy["statistics"]!, distance = (double)numpy["distance"]!;
            table.Add("NumPy and SciPy", $"{statistics:f1} s", $"{distance:f1} s", $"{statistics + distance:f1} s", $"{(long)numpy["peak"]! >> 20} MiB", $"{(double)numpy["value"]!:f2}");
            table.Add("ratio", $"{statistics / ours[0]:f2}", $"{distance / ours[1]:f2}", $"{(statistics + distance) / (ours[0] + ours[1]):f2}", "", "");
        }
        return table;
    }

    private static double[] Ours()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(1);
        using var real = new FeatureStatistics(Width);
        using var fake = new FeatureStatistics(Width);
        double statistics = 0;
        foreach (var (set, shift) in new[] { (real, 0.0), (fake, 0.1) })
            for (int at = 0; at < Rows; at += Batch)
            {
                using var one = NewDisposeScope();
                var rows = randn([Batch, Width], float32, generator: random).add_(shift);
                long start = Stopwatch.GetTimestamp();
                set.Add(rows);
                statistics += Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        long begin = Stopwatch.GetTimestamp();
        double value = FrechetDistance.Between(real, fake);
        return [statistics, Stopwatch.GetElapsedTime(begin).TotalSeconds, value];
    }
}
