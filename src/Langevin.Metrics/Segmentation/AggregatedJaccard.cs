using static TorchSharp.torch;

namespace Langevin.Metrics.Segmentation;

/// <summary>
/// The aggregated Jaccard index of instance segmentation (Kumar et al. 2017, IEEE TMI 36, algorithm 1): pixels and objects judged
/// at once, 1 for the same objects under any numbering.
/// </summary>
public static class AggregatedJaccard
{
    /// <summary>
    /// Each true object takes the predicted object of the largest IoU; their intersections are summed over the sum of their unions
    /// and of the predicted objects that none took. A true object that nothing overlaps adds its own size to the unions.
    /// </summary>
    /// <remarks>As published, several true objects may take one predicted object, whose union then counts each time.</remarks>
    /// <param name="truth">Integer labels [H, W] or [D, H, W]: 0 is background, every other value one object.</param>
    /// <param name="prediction">The same shape; numbering and gaps in it do not matter.</param>
    /// <returns>From 0 to 1; 1 where neither has an object, 0 where only one has.</returns>
    public static double Index(Tensor truth, Tensor prediction)
    {
        Check(truth, nameof(truth));
        Check(prediction, nameof(prediction));
        Require.SameShape(truth, prediction);
        using var scope = NewDisposeScope();
        var (t, trueCount) = Numbered(truth);
        var (p, count) = Numbered(prediction);
        if (trueCount == 0 || count == 0) return trueCount == count ? 1 : 0;
        var overlap = (t * (count + 1) + p).bincount(null!, (trueCount + 1) * (count + 1)).view(trueCount + 1, count + 1).to(float64);
        var (trueSize, size) = (overlap.sum([1]).narrow(0, 1, trueCount), overlap.sum([0]).narrow(0, 1, count));
        var shared = overlap.narrow(0, 1, trueCount).narrow(1, 1, count);
        var union = trueSize.unsqueeze(1) + size.unsqueeze(0) - shared;
        var (iou, best) = (shared / union).max(1);
        var met = iou.gt(0);
        Tensor Taken(Tensor table) => table.gather(1, best.unsqueeze(1)).squeeze(1);
        double intersection = (Taken(shared) * met.to(float64)).sum().item<double>();
        double unions = where(met, Taken(union), trueSize).sum().item<double>();
        var left = ones_like(size).index_fill_(0, best.masked_select(met), 0);
        return intersection / (unions + (left * size).sum().item<double>());
    }

    /// <summary>The objects numbered from 1 without gaps, flat int64, and how many there are.</summary>
    private static (Tensor labels, long count) Numbered(Tensor labels)
    {
        // One background pixel put in front makes 0 a value of every map.
        var flat = cat([zeros(1, int64), labels.detach().cpu().to(int64).flatten()]);
        var (values, place, _) = flat.unique(sorted: true, return_inverse: true);
        long background = values.eq(0).nonzero().item<long>();
        var number = place!.narrow(0, 1, flat.size(0) - 1);
        // Negative labels sort below the background: they move up by one and it to 0.
        number = where(number.eq(background), zeros_like(number), where(number.lt(background), number + 1, number));
        return (number, values.size(0) - 1);
    }

    private static void Check(Tensor labels, string name)
    {
        ArgumentNullException.ThrowIfNull(labels, name);
        if (labels.dim() is not (2 or 3) || labels.numel() == 0) throw new ArgumentException($"expected labels [H, W] or [D, H, W], got {Require.Shape(labels)}", name);
        if (labels.is_floating_point() || labels.is_complex()) throw new ArgumentException($"expected integer labels, got {labels.dtype}", name);
    }
}
