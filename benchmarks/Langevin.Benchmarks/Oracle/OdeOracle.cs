using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>How far ODE solvers are from the exact flow after the same stretch of noise levels, against evaluations, and the order that fits it.</summary>
internal static class OdeOracle
{
    private const double High = 10, Low = 0.1, Tolerance = 1e-11, Rounding = 1e-9;

    public static string Run(Sheet sheet, Func<GaussianProcess, Problem> create, GaussianProcess process, string name)
    {
        using var scope = NewDisposeScope();
        using var problem = create(process);
        int[] counts = sheet.Quick ? [8, 16, 32] : [8, 16, 32, 64, 128];
        double start = process.TimeOfLambda(-Math.Log(High)), end = process.TimeOfLambda(-Math.Log(Low));
        var x = problem.DrawAt(start, problem.ItemShape.Length == 1 ? 64 : 8, 1);
        var exact = new DormandPrince(Tolerance, Tolerance).Run(problem.Denoiser, x, new TimeGrid([start, end]));
        sheet.Say("exact flow");
        double size = exact.square().mean().sqrt().item<double>();
        (int Evaluations, double Error) Measure(Sampler sampler, TimeGrid grid)
        {
            using var inner = NewDisposeScope();
            var last = sampler.Steps(problem.Denoiser, x, grid, noise: new OneNoise(1)).Last();
            return (last.Evaluations, (last.X - exact).square().mean().sqrt().item<double>() / size);
        }
        var table = new Table(["solver", .. counts.Select(n => $"{n} steps"), "evaluations a step", "order found", "order stated"])
        {
            Note = $"{problem.Name} on {process.GetType().Name}: root mean square error of x, over the data's, after the flow from σ/α = {High} to {Low} in steps even in log σ, against the adaptive solver at tolerance {Tolerance:0e0}. Order: the slope over the last three counts.",
        };
        var plot = new SvgPlot($"Error of ODE solvers: {problem.Name}", "denoiser evaluations", "relative error");
        foreach (var entry in SamplerRegistry.For(process).Where(e => e.Kind == SamplerKind.Ode && e.Evaluations is not null))
        {
            var runs = Array.ConvertAll(counts, n =>
            {
                var grid = new TimeGrid(TimeGrid.Exponential(process, n + 1, Low, High).Times.SkipLast(1));
                return Measure(entry.Create(process, grid), grid);
            });
            plot.Add(entry.Order switch { 1 => "stated order 1", 2 => "stated order 2", 3 => "stated order 3", _ => "stated order 4, and adaptive" }, entry.Name, runs.Select(r => ((double)r.Evaluations, r.Error)));
            table.Add([entry.Name, .. runs.Select(r => $"{r.Error:0.0e0}"), $"{(double)runs[^1].Evaluations / counts[^1]:f1}", Slope.Of(counts.Zip(runs, (n, r) => ((double)n, r.Error)), Rounding), $"{entry.Order}"]);
            sheet.Say(entry.Name);
        }
        double[] tolerances = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
        var adaptive = new Table(["solver", .. tolerances.Select(t => $"tolerance {t:0e0}")]) { Note = "Adaptive solvers: error, and evaluations in brackets." };
        foreach (var (solver, at) in new (string, Func<double, Sampler>)[] { ("rk45", tol => new DormandPrince(tol, tol)), ("dpm-adaptive", tol => new DpmAdaptive(tol, tol)) })
        {
            var runs = Array.ConvertAll(tolerances, tol => Measure(at(tol), new TimeGrid([start, end])));
            plot.Add("stated order 4, and adaptive", solver, runs.Select(r => ((double)r.Evaluations, r.Error)));
            adaptive.Add([solver, .. runs.Select(r => $"{r.Error:0.0e0} ({r.Evaluations})")]);
            sheet.Say(solver);
        }
        return $"{table}\n{adaptive}\n{sheet.Plot(name, plot)}";
    }
}
