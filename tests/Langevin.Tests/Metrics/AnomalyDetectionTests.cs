using Langevin.Metrics.Series;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class AnomalyDetectionTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    /// <summary>200 scores on 21 levels, so with many ties, and labels that follow them loosely.</summary>
    private static (Tensor scores, Tensor labels) Sample()
    {
        var scores = (TestSignals.Noise(200, 13) * 20).round() / 20;
        return (scores, (TestSignals.Noise(200, 14) + scores * 0.5).gt(0.1));
    }

    // scikit-learn 1.2.1: roc_auc_score, average_precision_score, the best of precision_recall_curve, precision_recall_fscore_support.
    [Fact]
    public void Figures_equal_those_of_scikit_learn()
    {
        var (scores, labels) = Sample();
        Assert.Equal(0.7106119791666666, AnomalyDetection.RocArea(scores, labels), 1e-14);
        Assert.Equal(0.546815120691728, AnomalyDetection.AveragePrecision(scores, labels), 1e-14);
        var best = AnomalyDetection.BestF1(scores, labels);
        Assert.Equal(0.05, best.Threshold, 1e-15);
        Assert.Equal(0.6227544910179641, best.Detection.F1, 1e-14);
        Assert.Equal(0.5473684210526316, best.Detection.Precision, 1e-14);
        Assert.Equal(0.7222222222222222, best.Detection.Recall, 1e-14);
        var at = AnomalyDetection.At(scores, labels, 0.1);
        Assert.Equal(0.550561797752809, at.Precision, 1e-15);
        Assert.Equal(0.6805555555555556, at.Recall, 1e-15);
        Assert.Equal(0.608695652173913, at.F1, 1e-15);
        Assert.Equal(best.Detection, AnomalyDetection.At(scores, labels, best.Threshold));
    }

    [Fact]
    public void A_segment_is_detected_as_a_whole_or_not_at_all()
    {
        // Segments at 2–4 and 7–9; 0.5 and above is detected.
        var labels = tensor(new long[] { 0, 0, 1, 1, 1, 0, 0, 1, 1, 1 });
        var scores = tensor(new[] { 0.6, 0.4, 0.3, 0.7, 0.6, 0.5, 0.2, 0.3, 0.4, 0.3 });
        Assert.Equal(new Detection(2, 2, 4), AnomalyDetection.At(scores, labels, 0.5));
        Assert.Equal(new Detection(3, 2, 3), AnomalyDetection.At(scores, labels, 0.5, pointAdjust: true));
        Assert.Equal([0.6, 0.4, 0.7, 0.7, 0.7, 0.5, 0.2, 0.4, 0.4, 0.4], AnomalyDetection.PointAdjusted(scores, labels).data<double>().ToArray());
        // In rows of five, the label at 4 ends with its row.
        var rows = AnomalyDetection.PointAdjusted(scores.view(2, 5), tensor(new long[] { 0, 0, 0, 0, 1, 1, 0, 1, 1, 1 }).view(2, 5));
        Assert.Equal([0.6, 0.5], new[] { rows[0, 4].item<double>(), rows[1, 0].item<double>() });
    }

    [Fact]
    public void Perfect_constant_and_reversed_scores()
    {
        var (scores, labels) = Sample();
        var truth = labels.to(float64);
        Assert.Equal(1, AnomalyDetection.RocArea(truth, labels));
        Assert.Equal(1, AnomalyDetection.AveragePrecision(truth, labels));
        Assert.Equal(1, AnomalyDetection.BestF1(truth, labels).Detection.F1);
        Assert.Equal(0.5, AnomalyDetection.RocArea(zeros_like(scores), labels));
        Assert.Equal(labels.to(float64).mean().item<double>(), AnomalyDetection.AveragePrecision(zeros_like(scores), labels), 1e-14);
        Assert.Equal(1 - AnomalyDetection.RocArea(scores, labels), AnomalyDetection.RocArea(-scores, labels), 1e-14);
        // Only the order counts.
        Assert.Equal(AnomalyDetection.AveragePrecision(scores, labels), AnomalyDetection.AveragePrecision(scores.exp(), labels), 1e-14);
        // Adjustment raises scores of anomalous points alone.
        Assert.True(AnomalyDetection.RocArea(scores, labels, pointAdjust: true) > AnomalyDetection.RocArea(scores, labels));
        Assert.Equal(0, new Detection(0, 0, 3).Precision);
    }

    [Fact]
    public void What_has_no_answer_is_refused()
    {
        var scores = TestSignals.Noise(6, 1);
        Assert.Contains("anomalous", Assert.Throws<ArgumentException>(() => AnomalyDetection.RocArea(scores, zeros(6))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => AnomalyDetection.RocArea(scores, ones(6)));
        Assert.Throws<ArgumentException>(() => AnomalyDetection.BestF1(scores, zeros(6)));
        Assert.Throws<ArgumentException>(() => AnomalyDetection.At(scores, ones(5), 0));
        Assert.Throws<ArgumentException>(() => AnomalyDetection.At(scores * double.NaN, ones(6), 0));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        var (scores, labels) = Sample();
        Leak.None(() =>
        {
            AnomalyDetection.RocArea(scores, labels);
            AnomalyDetection.AveragePrecision(scores, labels, pointAdjust: true);
            AnomalyDetection.BestF1(scores, labels);
        });
    }
}
