using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>How far solvers are from the exact flow, and from the exact distribution, by evaluations.</summary>
internal static class SolverOracle
{
    private const double High = 10, Low = 0.1;

    /// <summary>The error of every ODE solver after the same stretch of noise levels, against evaluations.</summary>
    public static Table Orders(Func<GaussianProcess, Problem> create, GaussianProcess process, string file, bool quick)
    {
        using var scope = NewDisposeScope();
        using var problem = create(process);
        int[] counts = quick ? [8, 16, 32] : [8, 16, 32, 64, 128];
        var table = new Table(["solver", .. counts.Select(n => $"{n} steps"), "evaluations a step", "order found", "order stated"])
        {
            Note = $"{problem.Name} on {process.GetType().Name}: root mean square error of x, over the data's, after the flow from σ/α = {High} to {Low} in steps even in log σ, against the adaptive solver at tolerance 1e-9. Order: the slope over the last three counts that are above rounding.",
        };
        var plot = new SvgPlot($"Error of ODE solvers: {problem.Name}", "denoiser evaluations", "relative error");
        double start = process.TimeOfLambda(-Math.Log(High)), end = process.TimeOfLambda(-Math.Log(Low));
        var x = problem.DrawAt(start, problem.ItemShape.Length == 1 ? 64 : 8, 1);
        var exact = new DormandPrince(1e-9, 1e-9).Run(problem.Denoiser, x, new TimeGrid([start, end]));
        Console.Error.WriteLine("         exact flow");
        double size = exact.square().mean().sqrt().item<double>();
        (int Evaluations, double Error) Run(Sampler sampler, TimeGrid grid)
        {
            using var inner = NewDisposeScope();
            var last = sampler.Steps(problem.Denoiser, x, grid, noise: new OneNoise(1)).Last();
            return (last.Evaluations, (last.X - exact).square().mean().sqrt().item<double>() / size);
        }
        foreach (var entry in SamplerRegistry.For(process).Where(e => e.Kind == SamplerKind.Ode && e.Evaluations is not null))
        {
            var runs = new (int Evaluations, double Error)[counts.Length];
            for (int i = 0; i < counts.Length; i++)
            {
                var grid = new TimeGrid(TimeGrid.Exponential(process, counts[i] + 1, Low, High).Times.SkipLast(1));
                try { runs[i] = Run(entry.Create(process, grid), grid); }
                catch (ArgumentException e)
                {
                    Console.Error.WriteLine($"{entry.Name}: {e.Message}");
                    runs[i] = (counts[i], double.NaN);
                }
            }
            Console.Error.WriteLine($"         {entry.Name}");
            plot.Add(entry.Name, runs.Select(r => ((double)r.Evaluations, r.Error)));
            table.Add([entry.Name, .. runs.Select(r => $"{r.Error:e1}"), $"{(double)runs[^1].Evaluations / counts[^1]:f1}", Slope(runs, counts), $"{entry.Order}"]);
        }
        foreach (var (name, sampler) in new (string, Func<double, Sampler>)[] { ("rk45", tol => new DormandPrince(tol, tol)), ("dpm-adaptive", tol => new DpmAdaptive(tol, tol)) })
            plot.Add(name, new[] { 1e-1, 1e-2, 1e-3, 1e-4, 1e-5 }.Select(tol => Run(sampler(tol), new TimeGrid([start, end]))).Select(r => ((double)r.Evaluations, r.Error)));
        plot.Save(file);
        return table;
    }

    /// <summary>The distance of every sampler's draws, from noise to data, from exact draws, against the budget of evaluations.</summary>
    public static Table Distances(Func<GaussianProcess, Problem> create, GaussianProcess process, string file, bool quick)
    {
        using var scope = NewDisposeScope();
        using var problem = create(process);
        int[] budgets = quick ? [10, 20] : [10, 20, 40, 80];
        long count = problem.ItemShape.Length > 1 ? 200 : quick ? 500 : 2000;
        using var exact = problem.Draw(count, 11);
        using var other = problem.Draw(count, 12);
        var table = new Table(["sampler", "solves", .. budgets.Select(b => $"{b} evaluations")])
        {
            Note = $"{problem.Name} on {process.GetType().Name}: sliced Wasserstein distance of {count} draws from as many exact ones, over the data's scale; Karras' grid from σ/α = 80 or the process's own, to clean data. Two sets of exact draws are {problem.Distance(other, exact):f4} apart: below about twice that nothing is left to see.",
        };
        var plot = new SvgPlot($"Distance of draws: {problem.Name}", "denoiser evaluations", "sliced Wasserstein");
        double high = Math.Min(80, process.Sigma(process.MaxTime) / process.Alpha(process.MaxTime));
        foreach (var entry in SamplerRegistry.For(process).Where(e => e.Evaluations is not null))
        {
            var points = new List<(double Budget, double Distance)>();
            foreach (int budget in budgets)
            {
                using var inner = NewDisposeScope();
                int steps = Math.Max(2, budget / entry.Evaluations!.Value);
                var grid = TimeGrid.Karras(process, steps, sigmaMin: 0.02, sigmaMax: high);
                try
                {
                    var noise = new OneNoise(5);
                    var x = Sampler.Prior(process, [count, .. problem.ItemShape], noise, time: grid[0], dtype: ScalarType.Float64);
                    var last = entry.Create(process, grid).Steps(problem.Denoiser, x, grid, noise: noise).Last();
                    points.Add((budget, problem.Distance(last.X, exact)));
                }
                catch (ArgumentException) // too few levels for this one
                {
                    points.Add((budget, double.NaN));
                }
            }
            plot.Add(entry.Name, points);
            table.Add([entry.Name, entry.Kind == SamplerKind.Ode ? "ODE" : "SDE", .. points.Select(p => double.IsNaN(p.Distance) ? "–" : $"{p.Distance:f3}")]);
        }
        plot.Save(file);
        return table;
    }

    // Of log error against log steps, by least squares over the last three above rounding.
    private static string Slope((int Evaluations, double Error)[] runs, int[] counts)
    {
        var points = counts.Zip(runs).Where(p => double.IsFinite(p.Second.Error) && p.Second.Error > 1e-9).TakeLast(3).Select(p => (X: Math.Log(p.First), Y: Math.Log(p.Second.Error))).ToArray();
        if (points.Length < 2) return "–";
        double mx = points.Average(p => p.X), my = points.Average(p => p.Y);
        return $"{-points.Sum(p => (p.X - mx) * (p.Y - my)) / points.Sum(p => (p.X - mx) * (p.X - mx)):f2}";
    }
}
