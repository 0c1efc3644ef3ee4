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
}
