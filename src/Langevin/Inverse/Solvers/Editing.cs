using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// ILVR (Choi et al. 2021, equation 8): after every step the sample's low-pass part is replaced by the reference's at that time,
/// x ← x + φ(y_s) − φ(x) with φ = A⁺A. Draws pictures that share a reference's coarse look.
/// </summary>
/// <param name="Reference">A whole picture, [N or 1, C, H, W]: only φ of it counts.</param>
/// <param name="LowPass">A, such as <see cref="Separable.Bicubic"/>: the larger its factor, the freer the result.</param>
/// <param name="Until">The share of the grid, from the start, over which the reference is held; 1 is to the end.</param>
/// <param name="Inner">What makes a step; <see cref="DdpmAncestral"/> if not given.</param>
public sealed record Ilvr(Tensor Reference, LinearOperator LowPass, double Until = 1, Sampler? Inner = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var inner = (Inner ?? new DdpmAncestral()).Begin(run);
        return (x, t, s) =>
        {
            var next = inner(x, t, s);
            if (run.Index >= Until * run.Grid.Steps) return next;
            double sigma = run.Process.Sigma(s);
            var reference = run.Process.Alpha(s) * Reference;
            if (sigma > 0) reference = reference + sigma * run.Noise(x);
            return next + LowPass.PseudoInverse(LowPass.Forward(reference - next));
        };
    }
}

/// <summary>
/// SDEdit (Meng et al. 2022, algorithm 1): a picture is given noise up to a time on the way and sampled from there. Steps before that time are
/// not made, whatever state the run starts from.
/// </summary>
/// <param name="Reference">The picture to edit, or a first estimate (CCDF), [N or 1, C, H, W].</param>
/// <param name="Strength">The share of the grid that is walked, in (0, 1]: the larger, the freer the result.</param>
/// <param name="Inner">What makes the steps; <see cref="Ddim"/> if not given. With a restoring sampler here this is CCDF (Chung, Sim and Ye 2022).</param>
/// <param name="Keep">1 where the picture is to stay as it is, [H, W] or as a batch; nothing when null.</param>
public sealed record SdEdit(Tensor Reference, double Strength = 0.5, Sampler? Inner = null, Tensor? Keep = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Strength is not (> 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Strength), Strength, "The share of the grid that is walked lies in (0, 1].");
        var inner = (Inner ?? new Ddim()).Begin(run);
        int start = run.Grid.Steps - Math.Max(1, (int)Math.Round(Strength * run.Grid.Steps));
        return (x, t, s) =>
        {
            if (run.Index < start) return x;
            if (run.Index == start) x = At(t);
            var next = inner(x, t, s);
            return Keep is null ? next : Keep * At(s) + (1 - Keep) * next;

            Tensor At(double time) => run.Process.Sigma(time) is > 0 and var sigma
                ? run.Process.Alpha(time) * Reference + sigma * run.Noise(x)
                : (run.Process.Alpha(time) * Reference).expand(x.shape);
        };
    }
}

/// <summary>
/// How far a first estimate has to be noised before the way back improves on it: CCDF's contraction bound (Chung, Sim and Ye 2022, theorem 1) for
/// ancestral steps. With an error of ε₀ = ‖x̂ − x‖² before, after N steps of contraction rate λ it is at most
/// 2Cτ/(1 − λ²) + λ^(2N) (α² ε₀ + 2 σ² D), C = D max v, where v is the variance of a step.
/// </summary>
public static class Contraction
{
    /// <summary>The bound on the squared error after the last steps of a grid; the step to clean data, which contracts to 0, is not counted.</summary>
    /// <param name="process">The process.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="steps">N ≥ 1: how many steps of the grid are walked.</param>
    /// <param name="squaredError">ε₀, squared norm of the first estimate's error.</param>
    /// <param name="dimensions">D: numbers of one picture.</param>
    /// <param name="unseen">τ in [0, 1]: the share of directions that no measurement corrects at each step.</param>
    public static double Bound(GaussianProcess process, TimeGrid grid, int steps, double squaredError, long dimensions, double unseen = 1)
    {
        if (steps < 1 || steps > grid.Steps) throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The grid has {grid.Steps} steps.");
        double rate = 0, variance = 0;
        for (int i = grid.Steps - steps; i < grid.Steps; i++)
        {
            var (ofX, _, v) = process.Posterior(grid[i + 1], grid[i]);
            (rate, variance) = (Math.Max(rate, ofX), Math.Max(variance, v));
        }
        double start = grid[grid.Steps - steps], error = Math.Pow(process.Alpha(start), 2) * squaredError + 2 * Math.Pow(process.Sigma(start), 2) * dimensions;
        return 2 * dimensions * variance * unseen / (1 - rate * rate) + Math.Pow(rate, 2 * steps) * error;
    }

    /// <summary>The share of a grid, for <see cref="SdEdit"/>, after which the bound first is at most <paramref name="target"/> ε₀; 1 where it never is.</summary>
    /// <param name="process">The process.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="squaredError">ε₀.</param>
    /// <param name="dimensions">D.</param>
    /// <param name="target">μ in (0, 1].</param>
    /// <param name="unseen">τ.</param>
    public static double Strength(GaussianProcess process, TimeGrid grid, double squaredError, long dimensions, double target = 1, double unseen = 1)
    {
        for (int n = 1; n <= grid.Steps; n++)
            if (Bound(process, grid, n, squaredError, dimensions, unseen) <= target * squaredError) return (double)n / grid.Steps;
        return 1;
    }
}
