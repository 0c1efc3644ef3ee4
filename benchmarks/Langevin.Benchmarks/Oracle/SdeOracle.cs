using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>
/// The weak order of SDE solvers without any Monte Carlo. Where the data are Gaussian, what a solver makes is affine in its start and in every
/// draw of noise: a run in which one of them is 1 and all others are 0 gives that one's coefficient, and the squares of the coefficients
/// add up to the variance of what the solver draws.
/// </summary>
internal static class SdeOracle
{
    private const double High = 10, Low = 0.1;

    public static string Run(Sheet sheet)
    {
        using var scope = NewDisposeScope();
        int[] counts = sheet.Quick ? [8, 16, 32] : [8, 16, 32, 64, 128];
        var table = new Table(["solver", .. counts.Select(n => $"{n} steps"), "order found", "order stated", "spread at the last"])
        {
            Note = $"Gaussian data of mean 1 and of standard deviations 0.3, 1 and 2 on EdmProcess, from σ/α = {High} to {Low} in steps even in log σ: root mean square of the errors of mean and standard deviation over the true standard deviation, exact, with no sampling error: each draw's coefficient is found by a run of its own. Order: the slope over the last three counts. Last column: standard deviations over the true ones, for data of 0.3, 1 and 2. A dash: the solver's step length depends on its state, so that it is not affine, or it does not run on this stretch.",
        };
        var plot = new SvgPlot("Error of SDE solvers: moments of Gaussian data", "steps", "relative error");
        var process = new EdmProcess();
        double[] stds = [0.3, 1, 2];
        using var data = GaussianMixture.WithCovariances(process, ones(1, ScalarType.Float64), ones([1, 3], ScalarType.Float64), tensor(stds).square().diag().unsqueeze(0));
        foreach (var entry in SamplerRegistry.For(process).Where(e => e.Kind == SamplerKind.Sde && e.Evaluations is not null))
        {
            var runs = Array.ConvertAll(counts, n =>
            {
                var grid = new TimeGrid(TimeGrid.Exponential(process, n + 1, Low, High).Times.SkipLast(1));
                try { return Moments(entry.Create(process, grid), data, grid, stds); }
                catch (ArgumentException e)
                {
                    sheet.Say($"{entry.Name}, {n} steps: {e.Message}");
                    return (double.NaN, [double.NaN]);
                }
            });
            if (runs.Any(r => r.Error < 1)) plot.Add(entry.Evaluations == 1 ? "one evaluation a step" : "more", entry.Name, counts.Zip(runs, (n, r) => ((double)n, r.Error)));
            table.Add([entry.Name, .. runs.Select(r => double.IsFinite(r.Error) ? $"{r.Error:0.0e0}" : "–"), Slope.Of(counts.Zip(runs, (n, r) => ((double)n, r.Error)), 1e-10), $"{entry.Order}",
                double.IsFinite(runs[^1].Error) ? string.Join(", ", runs[^1].Spread.Select(s => $"{s:f3}")) : "–"]);
            sheet.Say(entry.Name);
        }
        return $"{table}\n{sheet.Plot("sde", plot)}";
    }

    /// <summary>The error of the moments that a sampler leaves, and the standard deviations over the true ones; NaN where it is not affine.</summary>
    internal static (double Error, double[] Spread) Moments(Sampler sampler, GaussianMixture data, TimeGrid grid, double[] stds)
    {
        using var scope = NewDisposeScope();
        var process = data.Process;
        Tensor True(double t) => tensor(Array.ConvertAll(stds, s => Math.Sqrt(Math.Pow(process.Alpha(t) * s, 2) + Math.Pow(process.Sigma(t), 2))));
        var mean = data.Mean().unsqueeze(0);
        var counted = new Impulses();
        sampler.Run(data, process.Alpha(grid[0]) * mean, grid, noise: counted);
        // Rows: nothing but the mean; the start off it by one and by two standard deviations; then one draw each.
        var x = (process.Alpha(grid[0]) * mean).repeat(3 + counted.Draws, 1);
        x[1] += True(grid[0]);
        x[2] += 2 * True(grid[0]);
        var end = sampler.Run(data, x, grid, noise: new Impulses());
        var answers = end - end[0];
        bool affine = (answers[2] - 2 * answers[1]).abs().max().item<double>() < 1e-9 * answers[1].abs().max().item<double>();
        if (!affine) return (double.NaN, []);
        answers[2] = zeros(3, ScalarType.Float64);
        var spread = answers.square().sum([0L]).sqrt() / True(grid[grid.Steps]);
        var bias = (end[0] - process.Alpha(grid[grid.Steps]) * mean.squeeze(0)) / True(grid[grid.Steps]);
        return (cat([bias, spread - 1]).square().mean().sqrt().item<double>(), spread.data<double>().ToArray());
    }

    // Draw i is 1 in row 3 + i, and 0 in the others.
    private sealed class Impulses : INoise
    {
        public int Draws { get; private set; }

        public Tensor Next(Tensor like)
        {
            var draw = zeros_like(like);
            if (3 + Draws < like.shape[0]) draw[3 + Draws] = 1;
            Draws++;
            return draw;
        }
    }
}
