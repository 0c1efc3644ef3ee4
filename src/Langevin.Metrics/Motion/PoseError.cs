using static TorchSharp.torch;

namespace Langevin.Metrics.Motion;

/// <summary>Errors of poses [N, ..., J, D] of J joints, in the units of the positions (millimetres in most papers); each [N], float64.</summary>
public static class PoseError
{
    /// <summary>Mean per-joint position error: the mean distance of the joints over all poses of an item (Ionescu et al. 2014, IEEE TPAMI 36).</summary>
    /// <param name="prediction">[N, J, D], or motions [N, T, J, D], D = 2 or 3.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="root">The joint that both poses are moved to first, 0 to J − 1 (the pelvis in Human3.6M's protocol 1); null compares them where they are.</param>
    public static Tensor Mpjpe(Tensor prediction, Tensor target, int? root = null)
    {
        Check(prediction, target);
        if (root is { } r && (r < 0 || r >= prediction.size(-2)))
            throw new ArgumentOutOfRangeException(nameof(root), root, $"must be from 0 to {prediction.size(-2) - 1}");
        return WrappedTensorDisposeScope(() =>
        {
            var difference = prediction.detach().to(float64) - target.detach().to(float64);
            if (root is { } joint) difference = difference - difference.narrow(-2, joint, 1);
            return Mean(difference);
        });
    }

    /// <summary>
    /// MPJPE after each predicted pose has been aligned to its target by the similarity of least squared error, mirror images
    /// excluded: Human3.6M's protocol 2. <see cref="Procrustes.Align"/>.
    /// </summary>
    /// <param name="prediction">[N, J, D], or motions [N, T, J, D] (every frame aligned by itself), J ≥ 2, D = 2 or 3.</param>
    /// <param name="target">The same shape.</param>
    public static Tensor PaMpjpe(Tensor prediction, Tensor target)
    {
        Check(prediction, target);
        return WrappedTensorDisposeScope(() => Mean(Procrustes.Align(prediction, target) - target.detach().to(float64)));
    }

    private static Tensor Mean(Tensor difference) => difference.square().sum([-1]).sqrt().flatten(1).mean([1]);

    private static void Check(Tensor prediction, Tensor target)
    {
        Poses.Check(prediction, target);
        if (prediction.dim() < 3)
            throw new ArgumentException($"expected poses [N, ..., J, D], got {Require.Shape(prediction)}; unsqueeze a single pose", nameof(prediction));
    }
}
