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

    /// <summary>Bits a dimension of a log density in nats.</summary>
    /// <param name="logDensity">log p(x) of the whole sample, in nats.</param>
    /// <param name="dimensions">Number of elements of a sample.</param>
    /// <param name="binsPerUnit">
    /// Quantisation bins in one unit of the data: 1 for continuous data, 128 for 8-bit data in [−1, 1] (7 bits more), 256 in [0, 1] (8 more).
    /// </param>
    public static double BitsPerDimension(double logDensity, long dimensions, double binsPerUnit = 1) =>
        -logDensity / (dimensions * Math.Log(2)) + Math.Log2(binsPerUnit);
}
