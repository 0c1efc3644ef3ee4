using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Langevin.Metrics;
using Langevin.Metrics.PointClouds;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>
/// The exact earth mover's distance of clouds of 2,048 points, and SciPy's linear_sum_assignment (benchmarks/emd_scipy.py) of
/// the same clouds where Python has it.
/// </summary>
internal static class EmdBenchmark
{
    private const int Points = 2048, Rounds = 7;

    public static Table Run(Machine machine)
    {
        var table = new Table("clouds", "distance", "its assignment", "SciPy's assignment", "distance / SciPy", "95 % interval", "relative difference of values")
        {
            Note = $"Two clouds of {Points:n0} points in three dimensions; medians of {Rounds} turns. The distance includes its costs, SciPy's time does not. "
                + "Lattice: normal points rounded to quarters, so that most costs are ties.",
        };
        foreach (var (name, clouds) in Clouds()) Add(table, name, clouds);
        return table;
    }

    private static void Add(Table table, string name, Tensor clouds)
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.clouds");
        try
        {
            AtomicFile.WriteAllBytes(file, MemoryMarshal.AsBytes<double>(clouds.data<double>().ToArray()).ToArray());
            var (whole, inner, theirs) = (new double[Rounds], new double[Rounds], new double[Rounds]);
            double value = 0, difference = 0;
            Ours(clouds); // compiles
            for (int round = 0; round < Rounds; round++)
            {
                (whole[round], inner[round], value) = Ours(clouds);
                if (Python.Run("emd_scipy.py", file, Points.ToString(CultureInfo.InvariantCulture)) is not { } scipy)
                {
                    table.Add(name, Clock.Milliseconds(whole.Take(round + 1).Median()), Clock.Milliseconds(inner.Take(round + 1).Median()), "", "", "", "");
                    return;
                }
                theirs[round] = (double)scipy["seconds"]!;
                difference = Math.Abs(value / (double)scipy["value"]! - 1);
            }
            var (low, high) = Clock.RatioInterval(whole, theirs);
            table.Add(
                name, Clock.Milliseconds(whole.Median()), Clock.Milliseconds(inner.Median()), Clock.Milliseconds(theirs.Median()),
                $"{Clock.Ratio(whole, theirs):f2}", $"{low:f2} to {high:f2}", $"{difference:0.0e0}");
        }
        finally { File.Delete(file); }
    }

    private static (double Whole, double Assignment, double Value) Ours(Tensor clouds)
    {
        using var scope = NewDisposeScope();
        var (first, second) = (clouds.narrow(0, 0, 1), clouds.narrow(0, 1, 1));
        long start = Stopwatch.GetTimestamp();
        double value = EarthMover.Between(first, second).cost.item<double>();
        double whole = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var cost = (first[0].unsqueeze(1) - second[0].unsqueeze(0)).square().sum(2).sqrt();
        start = Stopwatch.GetTimestamp();
        Assignment.Solve(cost);
        return (whole, Stopwatch.GetElapsedTime(start).TotalSeconds, value);
    }

    /// <summary>Pairs of clouds [2, points, 3] of several kinds.</summary>
    private static IEnumerable<(string Name, Tensor Clouds)> Clouds()
    {
        using var random = new Generator(1);
        Tensor Normal() => randn([Points, 3], float64, generator: random);
        Tensor x = Normal(), y = Normal();
        yield return ("normal", stack([x, y]));
        yield return ("sphere to cube", stack([x / x.norm(1, keepdim: true), y / y.abs().amax([1], keepdim: true)]));
        yield return ("normal to one shifted by 3", stack([x, y + 3]));
        yield return ("lattice", (stack([x, y]) * 4).round() / 4);
    }
}
