using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// CFG++ (Chung et al. 2024, algorithm 2): x_0 is guided by λ in [0, 1], ε stays the unconditional one, so that a DDIM step
/// renoises by what the model knows of the noise: x_s = α_s (x̂_u + λ (x̂_c − x̂_u)) + σ_s ε̂_u.
/// </summary>
/// <remarks>
/// For samplers that put x̂_0 and ε̂ together again (DDIM, ancestral); one that reads ε̂ alone would not be guided. A DDIM step from
/// ρ_t to ρ_s (ρ = σ/α) is that of plain guidance with the scale w = λ ρ_t/(ρ_t − ρ_s).
/// </remarks>
/// <param name="Inner">A denoiser that knows the unconditional case.</param>
/// <param name="Lambda">λ in [0, 1]: 0 unconditional.</param>
public sealed record CfgPlusPlus(IDenoiser Inner, double Lambda) : DenoiserDecorator(Inner)
{
    /// <summary>λ in [0, 1].</summary>
    public double Lambda { get; } = Lambda is >= 0 and <= 1 ? Lambda
        : throw new ArgumentOutOfRangeException(nameof(Lambda), Lambda, "CFG++'s λ lies in [0, 1]; about 0.6 does what a scale of 7.5 does in plain guidance.");

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var (c, u) = Asked.Pair(Inner, x, t, condition);
        var x0 = (u.X0 + Lambda * (c.X0 - u.X0)).MoveToOuterDisposeScope();
        return new(x0, u.Epsilon.MoveToOuterDisposeScope(), x, Process, t, c.Variance?.MoveToOuterDisposeScope(), c.VarianceKind);
    }
}
