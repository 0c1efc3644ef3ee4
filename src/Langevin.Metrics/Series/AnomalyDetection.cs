using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>What a detector found among the points of series.</summary>
/// <param name="TruePositives">Anomalous points detected.</param>
/// <param name="FalsePositives">Normal points detected.</param>
/// <param name="FalseNegatives">Anomalous points not detected.</param>
public readonly record struct Detection(long TruePositives, long FalsePositives, long FalseNegatives)
{
    /// <summary>Share of the detected points that are anomalous; 0 where nothing was detected.</summary>
    public double Precision => Ratio(TruePositives, TruePositives + FalsePositives);

    /// <summary>Share of the anomalous points that were detected; 0 where there are none.</summary>
    public double Recall => Ratio(TruePositives, TruePositives + FalseNegatives);

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Ratio(2 * TruePositives, 2 * TruePositives + FalsePositives + FalseNegatives);

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}

/// <summary>The threshold of the best F1, and what it detects.</summary>
/// <param name="Threshold">Points with at least this score are detected.</param>
/// <param name="Detection">What that gives.</param>
public readonly record struct BestDetection(double Threshold, Detection Detection);

/// <summary>
/// Anomaly scores, higher for more anomalous, against true labels. Everything follows from the counts at each distinct score;
/// a point is detected where its score is at least the threshold.
/// </summary>
public static class AnomalyDetection
{
    /// <summary>Counts at a threshold; precision, recall and F1 follow.</summary>
    /// <param name="scores">[T] or [N, T]: N series of T points; finite.</param>
    /// <param name="labels">The same shape; anything but 0 is anomalous.</param>
    /// <param name="threshold">Least score of a detected point.</param>
    /// <param name="pointAdjust">Judge <see cref="PointAdjusted"/> scores.</param>
    public static Detection At(Tensor scores, Tensor labels, double threshold, bool pointAdjust = false)
    {
        using var scope = NewDisposeScope();
        var (s, l) = Flat(scores, labels, pointAdjust);
        var found = s.ge(threshold);
        long anomalous = l.sum().item<long>(), detected = found.sum().item<long>(), hit = found.logical_and(l).sum().item<long>();
        return new(hit, detected - hit, anomalous - hit);
    }

    /// <summary>
    /// The best F1 over all thresholds, which is an optimistic figure: the threshold is chosen by the labels it is judged by.
    /// Of equally good thresholds the highest is returned.
    /// </summary>
    /// <inheritdoc cref="At" path="/param"/>
    public static BestDetection BestF1(Tensor scores, Tensor labels, bool pointAdjust = false)
    {
        using var scope = NewDisposeScope();
        var (s, l) = Flat(scores, labels, pointAdjust);
        var (hits, alarms, thresholds) = Curve(s, l);
        var (anomalous, _) = Counts(l, needNormal: false);
        long best = (2 * hits / (hits + alarms + anomalous)).argmax().item<long>();
        long hit = (long)hits[best].item<double>();
        return new(thresholds[best].item<double>(), new(hit, (long)alarms[best].item<double>(), anomalous - hit));
    }

    /// <summary>
    /// Area under the curve of true against false positive rates: the chance that an anomalous point scores above a normal one,
    /// equal scores counted half (Hanley and McNeil 1982, Radiology 143). 0.5 is chance.
    /// </summary>
    /// <inheritdoc cref="At" path="/param"/>
    public static double RocArea(Tensor scores, Tensor labels, bool pointAdjust = false)
    {
        using var scope = NewDisposeScope();
        var (s, l) = Flat(scores, labels, pointAdjust);
        var (anomalous, normal) = Counts(l, needNormal: true);
        var (hits, alarms, _) = Curve(s, l);
        var before = cat([zeros(1, float64, hits.device), hits.narrow(0, 0, hits.size(0) - 1)]);
        return (Steps(alarms) * (hits + before)).sum().item<double>() / (2.0 * anomalous * normal);
    }

    /// <summary>
    /// Average precision Σ (Rₙ − Rₙ₋₁) Pₙ over falling thresholds, the area under the precision-recall curve without
    /// interpolation. The share of anomalous points is chance.
    /// </summary>
    /// <inheritdoc cref="At" path="/param"/>
    public static double AveragePrecision(Tensor scores, Tensor labels, bool pointAdjust = false)
    {
        using var scope = NewDisposeScope();
        var (s, l) = Flat(scores, labels, pointAdjust);
        var (anomalous, _) = Counts(l, needNormal: false);
        var (hits, alarms, _) = Curve(s, l);
        return (Steps(hits) * hits / (hits + alarms)).sum().item<double>() / anomalous;
    }

    /// <summary>
    /// Point adjustment (Xu et al. 2018, WWW): one detected point makes its whole anomalous segment detected. Giving every point
    /// of a segment the segment's highest score does that for all thresholds at once.
    /// </summary>
    /// <remarks>Adjusted figures are high even for random scores (Kim et al. 2022, AAAI): report the others beside them.</remarks>
    /// <param name="scores">[T] or [N, T].</param>
    /// <param name="labels">The same shape; a segment is a run of labels other than 0 within one series.</param>
    /// <returns>float64, the shape of <paramref name="scores"/>, on the CPU.</returns>
    public static Tensor PointAdjusted(Tensor scores, Tensor labels)
    {
        Check(scores, labels);
        using var scope = NewDisposeScope();
        double[] s = scores.detach().cpu().to(float64).contiguous().data<double>().ToArray();
        bool[] l = labels.detach().cpu().ne(0).contiguous().data<bool>().ToArray();
        int length = (int)scores.size(-1);
        for (int start = 0, end; start < s.Length; start = end)
        {
            // A run of equal labels, ended by the end of its series at the latest.
            int last = (start / length + 1) * length;
            double highest = s[start];
            for (end = start + 1; end < last && l[end] == l[start]; end++) highest = Math.Max(highest, s[end]);
            if (l[start]) s.AsSpan(start, end - start).Fill(highest);
        }
        return tensor(s, float64).view(scores.shape).MoveToOuterDisposeScope();
    }

    /// <summary>True and false positives, float64 [M], at each of M distinct scores from the highest down.</summary>
    private static (Tensor hits, Tensor alarms, Tensor thresholds) Curve(Tensor scores, Tensor labels)
    {
        var (sorted, order) = scores.sort(0, descending: true);
        // All scores equal to a threshold are detected together: the last of a run of ties counts.
        var last = cat([sorted.diff().ne(0), ones(1, ScalarType.Bool, scores.device)]).nonzero().flatten();
        var hits = labels.index_select(0, order).to(float64).cumsum(0).index_select(0, last);
        return (hits, (last + 1).to(float64) - hits, sorted.index_select(0, last));
    }

    private static Tensor Steps(Tensor counts) => counts.diff(prepend: zeros(1, float64, counts.device));

    private static (long anomalous, long normal) Counts(Tensor labels, bool needNormal)
    {
        long anomalous = labels.sum().item<long>(), normal = labels.numel() - anomalous;
        if (anomalous == 0) throw new ArgumentException("no point is labelled anomalous: this figure is not defined", nameof(labels));
        if (needNormal && normal == 0) throw new ArgumentException("every point is labelled anomalous: this figure is not defined", nameof(labels));
        return (anomalous, normal);
    }

    private static (Tensor scores, Tensor labels) Flat(Tensor scores, Tensor labels, bool pointAdjust)
    {
        Check(scores, labels);
        var s = pointAdjust ? PointAdjusted(scores, labels) : scores.detach().to(float64);
        return (s.flatten(), labels.to(s.device).ne(0).flatten());
    }

    private static void Check(Tensor scores, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(labels);
        if (scores.dim() is not (1 or 2) || scores.numel() == 0)
            throw new ArgumentException($"expected scores [T] or [N, T], got {Require.Shape(scores)}", nameof(scores));
        Require.SameShape(scores, labels);
        Require.Finite(scores);
    }
}
