using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Annealed Langevin dynamics (Song &amp; Ermon 2019, 2020; survey equation 8): at each noise level T steps
/// x ← x + α_i ∇log p(x) + √(2 α_i) z with α_i = ε σ_i²/σ_L², σ_L being the smallest level of the grid.
/// </summary>
/// <param name="Epsilon">The step size ε at the smallest level.</param>
/// <param name="Count">Steps T at each level.</param>
/// <param name="Denoise">Whether a grid that ends at clean data ends with a denoising step, x + σ_L² ∇log p(x).</param>
public sealed record AnnealedLangevin(double Epsilon = 6.2e-6, int Count = 5, bool Denoise = true) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        double smallest = SmallestSigma(run);
        return (x, t, s) =>
        {
            double step = Epsilon * Math.Pow(run.Process.Sigma(t) / smallest, 2);
            for (int i = 0; i < Count; i++)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                x = (x + step * run.Denoise(x, t).Score + Math.Sqrt(2 * step) * run.Noise(x)).MoveToOuterDisposeScope();
            }
            return Denoise && run.Process.Sigma(s) == 0 ? run.Denoise(x, t).X0 : x;
        };
    }

    internal static double SmallestSigma(SamplingRun run) => run.Grid.Times.Select(run.Process.Sigma).Last(s => s > 0);
}

/// <summary>
/// Consistent annealed sampling (Jolicoeur-Martineau et al. 2021, algorithm 2): one score step a level of relative size
/// η = ε/σ_L², and just as much fresh noise as brings the sample to the next level exactly. On any process, in its rescaled
/// variable.
/// </summary>
/// <param name="Epsilon">ε; η = ε/σ_L² must lie in (0, 1], and reach from each level to the next: 1 − η ≤ σ_s/σ_t.</param>
public sealed record ConsistentAnnealedSampling(double Epsilon) : Sampler
{
    /// <summary>With the ε that keeps as much noise from level to level as an ancestral step does.</summary>
    public static ConsistentAnnealedSampling Ancestral(GaussianProcess process, TimeGrid grid)
    {
        double largest = 0;
        for (int i = 1; i < grid.Steps; i++) largest = Math.Max(largest, 1 - Math.Pow(process.Sigma(grid[i]) / process.Sigma(grid[i - 1]), 2));
        return new(largest * Math.Pow(process.Sigma(grid[grid.Steps - 1]), 2));
    }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        double smallest = AnnealedLangevin.SmallestSigma(run), eta = Epsilon / (smallest * smallest);
        if (!(eta is > 0 and <= 1))
            throw new ArgumentException($"ε = {Epsilon} gives a relative step of {eta} at the smallest noise level {smallest}; it must lie in (0, 1], so ε in (0, {smallest * smallest}].");
        return (x, t, s) =>
        {
            var process = run.Process;
            double target = process.Sigma(s), kept = process.Alpha(s) / process.Alpha(t) * process.Sigma(t) * (1 - eta);
            var prediction = run.Denoise(x, t);
            if (target == 0) return prediction.X0;
            if (kept > target * (1 + 1e-9))
                throw new ArgumentException($"One step of relative size {eta} does not reach from σ/α = {process.Sigma(t) / process.Alpha(t):g4} to {target / process.Alpha(s):g4}: take a larger ε or more levels.");
            double fresh = Math.Sqrt(Math.Max(0, target * target - kept * kept));
            return process.Alpha(s) * prediction.X0 + kept * prediction.Epsilon + fresh * run.Noise(x);
        };
    }
}
