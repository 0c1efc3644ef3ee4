using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Agreement of one class.</summary>
/// <param name="Class">The asked class.</param>
/// <param name="Count">Samples asked for in it.</param>
/// <param name="Agreed">How many the classifier put into it.</param>
/// <param name="MostConfused">The other class it named most often, −1 where there is none.</param>
public sealed record ClassAgreement(int Class, long Count, long Agreed, int MostConfused)
{
    /// <summary>Share that agreed; null for a class nobody asked for.</summary>
    public double? Accuracy => Count == 0 ? null : (double)Agreed / Count;
}

/// <summary>How often a classifier sees in a class-conditional sample the class that was asked for.</summary>
/// <param name="Accuracy">Share that agreed.</param>
/// <param name="Interval">Wilson interval of that share.</param>
/// <param name="Count">Samples judged.</param>
/// <param name="Classes">One entry a class, in order.</param>
public sealed record AgreementResult(double Accuracy, Interval Interval, long Count, IReadOnlyList<ClassAgreement> Classes);

/// <summary>Accuracy of class-conditional samples under a classifier trained on real data.</summary>
public static class Agreement
{
    /// <summary>Compares the arg-max of the logits with the asked labels.</summary>
    /// <param name="logits">[N, K].</param>
    /// <param name="labels">int64 [N], from 0 to K − 1.</param>
    /// <param name="level">Confidence level of the interval.</param>
    public static AgreementResult Of(Tensor logits, Tensor labels, double level = 0.95)
    {
        Require.Matrix(logits);
        Require.Labels(labels, logits.size(0));
        long classes = logits.size(1), count = logits.size(0);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var asked = labels.to(logits.device);
        var (low, high) = (asked.min().item<long>(), asked.max().item<long>());
        if (low < 0 || high >= classes)
            throw new ArgumentException($"labels from {low} to {high} for a classifier of {classes} classes (0 to {classes - 1})", nameof(labels));
        var confusion = (asked * classes + logits.argmax(1)).bincount(null!, classes * classes).view(classes, classes).cpu();
        var agreed = confusion.diagonal(0, 0, 1).clone();
        var asks = confusion.sum(1);
        confusion.diagonal(0, 0, 1).zero_();
        var (most, which) = confusion.max(1);
        var table = asks.data<long>().Zip(agreed.data<long>(), (n, a) => (n, a))
            .Zip(most.data<long>().Zip(which.data<long>(), (m, w) => m > 0 ? (int)w : -1),
                (c, confused) => (c.n, c.a, confused))
            .Select((c, i) => new ClassAgreement(i, c.n, c.a, c.confused)).ToArray();
        long right = table.Sum(c => c.Agreed);
        return new((double)right / count, Interval.Wilson(right, count, level), count, table);
    }
}
