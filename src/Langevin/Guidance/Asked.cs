using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>Several questions about the same x in one batch.</summary>
internal static class Asked
{
    /// <summary>The answers under a condition and under none.</summary>
    public static (Prediction Conditional, Prediction Unconditional) Pair(IDenoiser inner, Tensor x, Times t, Condition condition)
    {
        NeedCondition(condition);
        var answers = Under(inner, x, t, condition, condition.Null());
        return (answers[0], answers[1]);
    }

    /// <summary>The answers under each of several conditions.</summary>
    public static Prediction[] Under(IDenoiser inner, Tensor x, Times t, params Condition[] conditions)
    {
        int n = conditions.Length;
        var all = inner.Denoise(cat([.. Enumerable.Repeat(x, n)], 0), t.Repeated(n), conditions.Aggregate(Condition.Cat));
        var (values, variances) = (all.Value.chunk(n, 0), all.Variance?.chunk(n, 0));
        return [.. values.Select((value, i) => new Prediction(all.Kind, value, x, all.Process, t, variances?[i], all.VarianceKind))];
    }

    public static void NeedCondition(Condition condition)
    {
        if (condition.IsEmpty)
            throw new ArgumentException("Guidance needs a condition to guide towards, and none was given: pass a label or another condition, or sample the unguided model.", nameof(condition));
    }

    /// <summary>A scale that is a number.</summary>
    public static double Finite(double scale, string name) =>
        double.IsFinite(scale) ? scale : throw new ArgumentOutOfRangeException(name, scale, "A guidance scale must be finite.");

    /// <summary>The weight of guidance at each time: the scale within the interval, 1 (none) outside it.</summary>
    public static Times Weight(GaussianProcess process, Times t, double scale, Interval? interval) =>
        t.Select(u => interval?.Contains(process, u) ?? true ? scale : 1);

    /// <summary>The prediction again, its value moved to the outer scope: the last line of a decorator that opened one.</summary>
    public static Prediction Kept(this Prediction said, PredictionKind kind, Tensor value)
    {
        said.Variance?.MoveToOuterDisposeScope();
        return said.With(kind, value.MoveToOuterDisposeScope());
    }
}

/// <summary>Inner products of each sample of a batch, shaped to multiply it.</summary>
internal static class PerSample
{
    /// <summary>⟨a, b⟩ of each sample: [N, 1, ...].</summary>
    public static Tensor Dot(Tensor a, Tensor b) => Like((a * b).flatten(1).sum(1), a);

    /// <summary>‖a‖ of each sample: [N, 1, ...].</summary>
    public static Tensor Norm(Tensor a) => Dot(a, a).sqrt();

    /// <summary>The standard deviation over each sample: [N, 1, ...].</summary>
    public static Tensor Std(Tensor a) => Like(a.flatten(1).std(1), a);

    /// <summary>What of a lies along b, for each sample; nothing where b is zero.</summary>
    public static Tensor Along(Tensor a, Tensor b)
    {
        var square = Dot(b, b);
        return Dot(a, b) / where(square.eq(0), 1.0, square) * b;
    }

    /// <summary>[N] shaped to multiply a batch [N, ...].</summary>
    public static Tensor Like(Tensor each, Tensor batch) => each.view([-1, .. Enumerable.Repeat(1L, (int)batch.dim() - 1)]);
}
