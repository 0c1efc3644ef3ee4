using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>A stretch of noise levels that is gone through again (<see cref="Restart"/>).</summary>
/// <param name="Low">The ratio σ/α from which the noise is raised: the nearest of the grid's is taken.</param>
/// <param name="High">The ratio up to which it is raised.</param>
/// <param name="Steps">Steps back down, as Karras spaces them.</param>
/// <param name="Count">How often.</param>
public sealed record RestartInterval(double Low, double High, int Steps, int Count = 1)
{
    /// <summary>Two restarts from the grid's level nearest to a ratio σ/α to five times it, in as many steps as the grid has there, at least three.</summary>
    public static RestartInterval About(GaussianProcess process, TimeGrid grid, double ratio)
    {
        double low = grid.Sigmas(process).Skip(1).Where(s => s > 0).DefaultIfEmpty(ratio).MinBy(s => Math.Abs(s - ratio));
        double high = Math.Min(5 * low, grid.Sigmas(process)[0]);
        return new(low, high, Math.Max(3, grid.Sigmas(process).Count(s => s >= low && s < high)), 2);
    }
}

/// <summary>
/// Restart sampling (Xu et al. 2023, algorithm 1): where a deterministic solver has reached the low end of an interval, noise takes the
/// sample back up to the high end, and the solver comes down again. The noise contracts what errors there were.
/// </summary>
/// <param name="Intervals">The intervals.</param>
/// <param name="Solver">The solver, one of fixed steps; EDM's Heun if not given.</param>
/// <param name="NoiseStd">Standard deviation of the noise (S_noise).</param>
public sealed record Restart(IReadOnlyList<RestartInterval> Intervals, Sampler? Solver = null, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var solver = Solver ?? new ProbabilityFlow(2);
        var (process, main, ratios) = (run.Process, solver.Begin(run), run.Grid.Sigmas(run.Process));
        var after = Intervals.ToLookup(i => Enumerable.Range(1, run.Grid.Steps).Where(k => ratios[k] > 0).MinBy(k => Math.Abs(ratios[k] - i.Low)));
        foreach (var restarts in after)
            foreach (var interval in restarts)
                if (restarts.Key == 0 || !(interval.High > ratios[restarts.Key]) || interval.Steps < 1 || interval.Count < 0)
                    throw new ArgumentException($"{interval} needs a grid time of finite noise near its low end, a high end above it, at least one step and a count ≥ 0.");
        return (x, t, s) =>
        {
            x = main(x, t, s);
            foreach (var interval in after[run.Index + 1])
            {
                double low = ratios[run.Index + 1], high = FlowCoordinates.Ratio.TimeOf(process, interval.High);
                var (scale, variance) = process.Transition(s, high);
                double[] times = [.. TimeGrid.Karras(process, interval.Steps + 1, sigmaMin: low, sigmaMax: interval.High).Times.Take(interval.Steps), s];
                for (int k = 0; k < interval.Count; k++)
                {
                    run.Cancellation.ThrowIfCancellationRequested();
                    using var scope = NewDisposeScope();
                    var again = solver.Begin(run);
                    x = scale * x + NoiseStd * Math.Sqrt(variance) * run.Noise(x);
                    for (int i = 0; i < interval.Steps; i++) x = again(x, times[i], times[i + 1]);
                    x.MoveToOuterDisposeScope();
                }
            }
            return x;
        };
    }
}
