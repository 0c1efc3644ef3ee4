using static TorchSharp.torch;

namespace Langevin.Metrics.Motion;

/// <summary>
/// Errors of predicted trajectories, T positions in D dimensions, in the units of the positions; each [N], float64. The
/// methods of K hypotheses take the best of them by item.
/// </summary>
public static class Displacement
{
    /// <summary>Average displacement error: the mean distance over the T steps (Pellegrini et al. 2009; Alahi et al. 2016).</summary>
    /// <param name="prediction">[N, T, D].</param>
    /// <param name="target">[N, T, D].</param>
    public static Tensor Ade(Tensor prediction, Tensor target) => Single(prediction, target, MinAde);

    /// <summary>Final displacement error: the distance at the last step (Alahi et al. 2016).</summary>
    /// <param name="prediction">[N, T, D].</param>
    /// <param name="target">[N, T, D].</param>
    public static Tensor Fde(Tensor prediction, Tensor target) => Single(prediction, target, MinFde);

    /// <summary>The least ADE of K hypotheses (Gupta et al. 2018, arXiv:1803.10892: best of K).</summary>
    /// <param name="hypotheses">[N, K, T, D].</param>
    /// <param name="target">[N, T, D].</param>
    public static Tensor MinAde(Tensor hypotheses, Tensor target)
    {
        Check(hypotheses, target);
        return WrappedTensorDisposeScope(() => Distances(hypotheses, target).mean([2]).amin([1]));
    }

    /// <summary>The least FDE of K hypotheses; the hypothesis may differ from that of <see cref="MinAde"/>.</summary>
    /// <param name="hypotheses">[N, K, T, D].</param>
    /// <param name="target">[N, T, D].</param>
    public static Tensor MinFde(Tensor hypotheses, Tensor target)
    {
        Check(hypotheses, target);
        return WrappedTensorDisposeScope(() => Distances(hypotheses, target).select(2, -1).amin([1]));
    }

    /// <summary>1 where no hypothesis ends within the threshold of the target, else 0; the mean is the miss rate (Chang et al. 2019, arXiv:1911.02620).</summary>
    /// <param name="hypotheses">[N, K, T, D].</param>
    /// <param name="target">[N, T, D].</param>
    /// <param name="threshold">Above 0; a distance equal to it is no miss. Argoverse takes 2 m.</param>
    public static Tensor Miss(Tensor hypotheses, Tensor target, double threshold)
    {
        if (!(threshold > 0)) throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "must be above 0");
        return WrappedTensorDisposeScope(() => MinFde(hypotheses, target).gt(threshold).to(float64));
    }

    private static Tensor Single(Tensor prediction, Tensor target, Func<Tensor, Tensor, Tensor> best)
    {
        ArgumentNullException.ThrowIfNull(prediction);
        if (prediction.dim() != 3) throw new ArgumentException($"expected trajectories [N, T, D], got {Require.Shape(prediction)}", nameof(prediction));
        ArgumentNullException.ThrowIfNull(target);
        Require.SameShape(prediction, target);
        return WrappedTensorDisposeScope(() => best(prediction.unsqueeze(1), target));
    }

    /// <summary>[N, K, T].</summary>
    private static Tensor Distances(Tensor hypotheses, Tensor target) =>
        (hypotheses.detach().to(float64) - target.detach().to(float64).unsqueeze(1)).square().sum([-1]).sqrt();

    private static void Check(Tensor hypotheses, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(hypotheses);
        ArgumentNullException.ThrowIfNull(target);
        if (hypotheses.dim() != 4 || target.dim() != 3 || hypotheses.size(0) != target.size(0) || hypotheses.numel() == 0
            || !hypotheses.shape.AsSpan(2).SequenceEqual(target.shape.AsSpan(1)))
            throw new ArgumentException($"expected hypotheses [N, K, T, D] of targets [N, T, D], got {Require.Shape(hypotheses)} and {Require.Shape(target)}", nameof(hypotheses));
        Require.Finite(hypotheses);
        Require.Finite(target);
    }
}
