using Langevin.Denoisers;

namespace Langevin.Samplers;

/// <summary>
/// Ancestral sampling (Ho et al. 2020, algorithm 2; survey equations 2 and 5): each step draws from
/// p(x_s | x_t) = N(μ(x_t, x̂_0), v I), with no noise in the step to clean data. On a subset of a table's steps it is the
/// respaced sampler of Nichol &amp; Dhariwal 2021.
/// </summary>
/// <param name="Variance">The reverse variance v; if not given, the network's own where it predicts one, else the small one.</param>
public sealed record DdpmAncestral(ReverseVariance? Variance = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var prediction = run.Denoise(x, t);
        var variance = Variance ?? (prediction.Variance is null ? ReverseVariance.Small : ReverseVariance.Learned);
        var kernel = ReverseKernel.Of(prediction, s, variance);
        return run.Process.Sigma(s) > 0 ? kernel.Draw(run.Noise(x, t, s)) : kernel.Mean;
    };
}
