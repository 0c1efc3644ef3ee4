using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Log-likelihoods in bits per dimension.</summary>
public static class BitsPerDimension
{
    /// <summary>
    /// −log p / (D ln 2) − log₂ Δ: the code length a dimension of data whose levels lie Δ apart in the units of the
    /// density. 8-bit data scaled to [−1, 1] has Δ = 2/256 (adds 7 bits), scaled to [0, 1] 1/256 (adds 8);
    /// Δ = 1 leaves the differential entropy of continuous data.
    /// </summary>
    /// <param name="logLikelihood">log p(x) in nats, any shape.</param>
    /// <param name="dimensions">D, the number of values of one sample.</param>
    /// <param name="levelWidth">Δ, positive.</param>
    public static Tensor Of(Tensor logLikelihood, long dimensions, double levelWidth = 2.0 / 256)
    {
        ArgumentNullException.ThrowIfNull(logLikelihood);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(levelWidth);
        return WrappedTensorDisposeScope(() => logLikelihood / (-dimensions * Math.Log(2)) - Math.Log2(levelWidth));
    }
}
