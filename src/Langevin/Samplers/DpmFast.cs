using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DPM-Solver-fast (Lu et al. 2022a, appendix D.4): steps of order 3, and of lower order at the end, that together make a given
/// number of evaluations. Its steps are uniform in λ: <see cref="Grid"/>.
/// </summary>
/// <param name="Evaluations">Evaluations in all, without that of a last step to clean data.</param>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh (k-diffusion).</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise (s_noise).</param>
public sealed record DpmFast(int Evaluations, double Eta = 0, double NoiseStd = 1) : Sampler
{
    /// <summary>The grid it needs: n/3 + 1 steps uniform in λ between two ratios σ/α.</summary>
    /// <param name="process">The process.</param>
    /// <param name="sigmaMin">The smallest ratio; the process's own if not given.</param>
    /// <param name="sigmaMax">The largest ratio; the process's own if not given.</param>
    /// <param name="toData">Whether one more evaluation goes on to clean data.</param>
    public TimeGrid Grid(GaussianProcess process, double? sigmaMin = null, double? sigmaMax = null, bool toData = false)
    {
        var grid = TimeGrid.Exponential(process, Orders().Length + 1, sigmaMin, sigmaMax);
        return toData ? grid : new TimeGrid(grid.Times.SkipLast(1));
    }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var (process, grid, path) = (run.Process, run.Grid, FlowCoordinates.Ratio);
        int[] orders = Orders();
        bool toData = process.Sigma(grid[grid.Steps]) == 0;
        if (grid.Steps != orders.Length + (toData ? 1 : 0))
            throw new ArgumentException($"{Evaluations} evaluations make {orders.Length} steps, and the grid has {grid.Steps}{(toData ? " with the one to clean data" : "")}: take the grid from DpmFast.Grid.");
        double end = path.Of(process, grid[orders.Length]);
        return (x, t, s) =>
        {
            var prediction = run.Denoise(x, t);
            if (process.Sigma(s) == 0 || process.Alpha(t) == 0) return Ddim.Draw(run, prediction, t, s, Eta, NoiseStd);
            var (down, up) = DpmSolverSteps.Split(process, t, s, Eta, end);
            var next = process.Alpha(s) * new DpmSolverSteps(run, x / process.Alpha(t), prediction.Epsilon, path.Of(process, t), down).Of(orders[run.Index]);
            return up > 0 ? next + process.Alpha(s) * NoiseStd * up * run.Noise(x, t, s) : next;
        };
    }

    private int[] Orders()
    {
        if (Evaluations < 1) throw new ArgumentOutOfRangeException(nameof(Evaluations), Evaluations, "A sampler needs at least one evaluation.");
        int threes = Evaluations / 3, rest = Evaluations % 3;
        int[] ends = rest > 0 ? [rest] : [2, 1];
        return [.. Enumerable.Repeat(3, rest > 0 ? threes : threes - 1), .. ends];
    }
}
