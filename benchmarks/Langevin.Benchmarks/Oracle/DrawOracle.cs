using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Benchmarks.Oracle;

/// <summary>The distance of every sampler's draws, from noise to data, from exact draws, against the budget of evaluations.</summary>
internal static class DrawOracle
{
    private const double SigmaMin = 0.02, SigmaMax = 80;

    public static string Run(Sheet sheet, Func<GaussianProcess, Problem> create, GaussianProcess process, string name)
    {
        using var scope = NewDisposeScope();
        using var problem = create(process);
        bool pictures = problem.ItemShape.Length > 1;
        int[] budgets = sheet.Quick ? [10, 20] : pictures ? [10, 20, 40] : [10, 20, 40, 80];
        long count = (pictures ? 1000 : 16000) / (sheet.Quick ? 8 : 1);
        // Float32 carries far more digits than a distance of so many draws has.
        var dtype = pictures ? ScalarType.Float32 : ScalarType.Float64;
        using var exact = problem.Draw(pictures ? 4000 : 48000, 11);
        using var other = problem.Draw(count, 12);
        double floor = problem.Distance(other, exact);
        var table = new Table(["sampler", "solves", .. budgets.Select(b => $"{b} evaluations")])
        {
            Note = $"{problem.Name} on {process.GetType().Name}: sliced Wasserstein distance of {count} draws from {exact.shape[0]} exact ones, over the data's scale; Karras' grid from σ/α = {SigmaMax} (where the start is drawn exactly) to {SigmaMin} and to clean data, with as many steps as the budget pays for. As many exact draws are {floor:f4} away: below about twice that nothing is left to see. What never comes nearer than the data's scale is left out of the plot.",
        };
        var plot = new SvgPlot($"Distance of draws: {problem.Name}", "denoiser evaluations", "sliced Wasserstein") { Floor = floor };
        (int Evaluations, double Distance) Draw(Sampler sampler, TimeGrid grid, long samples)
        {
            using var inner = NewDisposeScope();
            var last = sampler.Steps(problem.Denoiser, problem.DrawAt(grid[0], samples, 13).to(dtype), grid, noise: new OneNoise(5)).Last();
            return (last.Evaluations, samples > 1 && last.X.isfinite().all().item<bool>() ? problem.Distance(last.X, exact) : double.NaN);
        }
        foreach (var entry in SamplerRegistry.For(process).Where(e => e.Evaluations is not null))
        {
            var runs = Array.ConvertAll<int, (int Evaluations, double Distance)>(budgets, budget =>
            {
                // A last step may cost less than others, and a restart more: what counts is what is asked of the denoiser.
                for (int steps = budget / entry.Evaluations!.Value + 1; steps >= 2; steps--)
                {
                    var grid = TimeGrid.Karras(process, steps, sigmaMin: SigmaMin, sigmaMax: SigmaMax);
                    if (!entry.EndsAtData) grid = new TimeGrid(grid.Times.SkipLast(1));
                    try
                    {
                        var sampler = entry.Create(process, grid);
                        if (Draw(sampler, grid, 1).Evaluations <= budget) return Draw(sampler, grid, count);
                    }
                    catch (ArgumentException) { } // too few levels for this one
                }
                return (budget, double.NaN);
            });
            string panel = (entry.Kind == SamplerKind.Ode ? "ODE, " : "SDE, ") + (entry.Evaluations == 1 ? "one evaluation a step" : "two or three a step");
            if (runs.Any(r => r.Distance < 1)) plot.Add(panel, entry.Name, runs.Select(r => ((double)r.Evaluations, r.Distance)));
            table.Add([entry.Name, entry.Kind == SamplerKind.Ode ? "ODE" : "SDE", .. runs.Select(r => double.IsNaN(r.Distance) ? "–" : $"{r.Distance:f3}")]);
            sheet.Say(entry.Name);
        }
        double[] tolerances = [0.3, 0.1, 0.03, 0.01, 0.003];
        var adaptive = new Table(["solver", .. tolerances.Select(t => $"tolerance {t}")]) { Note = $"Adaptive solvers to σ/α = {SigmaMin}: distance, and evaluations in brackets." };
        var stretch = new TimeGrid([process.TimeOfLambda(-Math.Log(SigmaMax)), process.TimeOfLambda(-Math.Log(SigmaMin))]);
        foreach (var (solver, at) in new (string, Func<double, Sampler>)[] { ("rk45", tol => new DormandPrince(tol, tol)), ("dpm-adaptive", tol => new DpmAdaptive(tol, tol)) })
        {
            var runs = Array.ConvertAll(tolerances, tol => Draw(at(tol), stretch, count));
            plot.Add("ODE, two or three a step", solver, runs.Select(r => ((double)r.Evaluations, r.Distance)));
            adaptive.Add([solver, .. runs.Select(r => $"{r.Distance:f3} ({r.Evaluations})")]);
            sheet.Say(solver);
        }
        return $"{table}\n{adaptive}\n{sheet.Plot(name, plot)}";
    }
}
