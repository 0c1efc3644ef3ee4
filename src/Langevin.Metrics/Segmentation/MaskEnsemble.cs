using static TorchSharp.torch;

namespace Langevin.Metrics.Segmentation;

/// <summary>Agreement of a set of sampled masks with a set of annotators' masks of the same image.</summary>
public static class MaskEnsemble
{
    private static readonly double[] Thresholds = [0.1, 0.3, 0.5, 0.7, 0.9];

    /// <summary>
    /// Squared generalised energy distance 2 E d(S, L) − E d(S, S′) − E d(L, L′) with d = 1 − IoU, a mask paired with
    /// itself included (Kohl et al. 2018, arXiv:1806.05034).
    /// </summary>
    /// <param name="samples">[S, ...].</param>
    /// <param name="labels">[L, ...].</param>
    public static double EnergyDistanceSquared(Tensor samples, Tensor labels)
    {
        using var scope = NewDisposeScope();
        double Mean(Tensor a, Tensor b) => 1 - Overlap.IouMatrix(a, b).mean().item<double>();
        return 2 * Mean(samples, labels) - Mean(samples, samples) - Mean(labels, labels);
    }

    /// <summary>
    /// Mean IoU under the best one-to-one matching of samples and labels (Hungarian-matched IoU; Kohl et al. 2019,
    /// arXiv:1905.13077), each side repeated to the least common multiple of the counts.
    /// </summary>
    /// <param name="samples">[S, ...].</param>
    /// <param name="labels">[L, ...].</param>
    public static double MatchedIou(Tensor samples, Tensor labels)
    {
        using var scope = NewDisposeScope();
        long s = samples.size(0), l = labels.size(0), common = s / Gcd(s, l) * l;
        if (common > 8192) throw new ArgumentException($"{s} samples and {l} labels have the least common multiple {common}: too many to match exactly", nameof(labels));
        var iou = Overlap.IouMatrix(labels, samples).repeat_interleave(common / l, 0).repeat_interleave(common / s, 1);
        var matching = Assignment.Solve(1 - iou);
        return iou.gather(1, matching.unsqueeze(1)).mean().item<double>();
    }

    /// <summary>Dice of the mean sample and the mean label, each cut at 0.1, 0.3, ..., 0.9, averaged over the cuts.</summary>
    /// <param name="samples">[S, ...], masks or probabilities.</param>
    /// <param name="labels">[L, ...].</param>
    public static double SoftDice(Tensor samples, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var (s, l) = (samples.to(float64).mean([0]), labels.to(float64).mean([0]));
        return Thresholds.Average(t => Overlap.Dice(s.gt(t).view(1, -1), l.gt(t).view(1, -1)).item<double>());
    }

    private static long Gcd(long a, long b) => b == 0 ? a : Gcd(b, a % b);
}
