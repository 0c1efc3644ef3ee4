using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>Divergences of Gaussians with diagonal covariance.</summary>
public static class Gaussians
{
    /// <summary>KL(N(mean1, e^logVariance1) ‖ N(mean2, e^logVariance2)) of each element, in nats; arguments broadcast.</summary>
    public static Tensor Kl(Tensor mean1, Tensor logVariance1, Tensor mean2, Tensor logVariance2)
    {
        using var scope = NewDisposeScope();
        var difference = logVariance1 - logVariance2;
        return (0.5 * (difference.expm1() - difference + (mean1 - mean2).square() * (-logVariance2).exp())).MoveToOuterDisposeScope();
    }

    /// <summary>z = α x_0 + σ ε at a log noise-to-signal ratio γ, α² = sigmoid(−γ), σ² = sigmoid(γ); gradients reach γ, which is float64 [N] or a scalar.</summary>
    internal static Tensor AtLogNsr(Tensor gamma, Tensor x0, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var g = gamma.dim() == 0 ? gamma : gamma.view([-1, .. Enumerable.Repeat(1L, (int)x0.dim() - 1)]);
        return ((-g).sigmoid().sqrt().to(x0.dtype) * x0 + g.sigmoid().sqrt().to(x0.dtype) * noise).MoveToOuterDisposeScope();
    }
}
