using static TorchSharp.torch;

namespace Langevin.Metrics.Segmentation;

/// <summary>Overlap of binary masks; anything but 0 is inside.</summary>
public static class Overlap
{
    /// <summary>Dice coefficient 2|A∩B| / (|A| + |B|) of each pair, [N], float64; 1 where both are empty.</summary>
    /// <param name="first">[N, ...].</param>
    /// <param name="second">[N, ...].</param>
    public static Tensor Dice(Tensor first, Tensor second) => WrappedTensorDisposeScope(() =>
    {
        var (a, b) = Pair(first, second);
        var sizes = a.sum(1) + b.sum(1);
        return where(sizes.eq(0), ones_like(sizes), 2 * (a * b).sum(1) / sizes.clamp_min(1));
    });

    /// <summary>Intersection over union |A∩B| / |A∪B| of each pair, [N], float64; 1 where both are empty.</summary>
    /// <param name="first">[N, ...].</param>
    /// <param name="second">[N, ...].</param>
    public static Tensor Iou(Tensor first, Tensor second) => WrappedTensorDisposeScope(() =>
    {
        var (a, b) = Pair(first, second);
        return Ratio((a * b).sum(1), a.sum(1) + b.sum(1));
    });

    /// <summary>Intersection over union of every mask of one set with every mask of another, [N, M].</summary>
    /// <param name="first">[N, ...].</param>
    /// <param name="second">[M, ...].</param>
    public static Tensor IouMatrix(Tensor first, Tensor second) => WrappedTensorDisposeScope(() =>
    {
        if (!first.shape.AsSpan(1).SequenceEqual(second.shape.AsSpan(1)))
            throw new ArgumentException($"masks {Require.Shape(second)} where the other set has {Require.Shape(first)}: all but the count must agree", nameof(second));
        var (a, b) = (Rows(first), Rows(second));
        return Ratio(a.mm(b.t()), a.sum(1, keepdim: true) + b.sum(1).unsqueeze(0));
    });

    private static Tensor Ratio(Tensor intersection, Tensor sizes)
    {
        var union = sizes - intersection;
        return where(union.eq(0), ones_like(union), intersection / union.clamp_min(1));
    }

    private static (Tensor a, Tensor b) Pair(Tensor first, Tensor second)
    {
        Require.SameShape(first, second);
        return (Rows(first), Rows(second));
    }

    private static Tensor Rows(Tensor masks)
    {
        if (masks.dim() < 2) throw new ArgumentException($"expected masks [N, ...], got {Require.Shape(masks)}", nameof(masks));
        return masks.ne(0).to(float64).flatten(1);
    }
}
