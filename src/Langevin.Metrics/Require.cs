using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Shape checks in managed code, so that a native call never sees what it cannot take.</summary>
internal static class Require
{
    /// <summary>A floating-point matrix [N, D] with at least <paramref name="rows"/> rows.</summary>
    public static void Matrix(Tensor x, long rows = 1, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 2 || x.size(1) < 1)
            throw new ArgumentException($"expected features [N, D], got {Shape(x)}; flatten each sample to a row", name);
        if (x.size(0) < rows)
            throw new ArgumentException($"{x.size(0)} samples are too few: at least {rows} are needed", name);
        if (!x.is_floating_point())
            throw new ArgumentException($"expected floating-point values, got {x.dtype}", name);
    }

    /// <summary>Two matrices of the same width.</summary>
    public static void SameWidth(Tensor x, Tensor y, [CallerArgumentExpression(nameof(y))] string name = "")
    {
        if (x.size(1) != y.size(1))
            throw new ArgumentException($"{y.size(1)} features where the other set has {x.size(1)}: both sets must come from one extractor", name);
    }

    /// <summary>Two tensors of the same shape.</summary>
    public static void SameShape(Tensor x, Tensor y, [CallerArgumentExpression(nameof(y))] string name = "")
    {
        if (!x.shape.AsSpan().SequenceEqual(y.shape))
            throw new ArgumentException($"shape {Shape(y)} where the other tensor has {Shape(x)}", name);
    }

    /// <summary>Labels int64 [N].</summary>
    public static void Labels(Tensor labels, long count, [CallerArgumentExpression(nameof(labels))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(labels, name);
        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.size(0) != count)
            throw new ArgumentException($"expected int64 labels [{count}], got {labels.dtype} {Shape(labels)}", name);
    }

    /// <summary>No NaN and no infinity.</summary>
    public static void Finite(Tensor x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        using var finite = WrappedTensorDisposeScope(() => x.isfinite().all());
        if (!finite.item<bool>())
            throw new ArgumentException("contains NaN or infinite values; look for the first sample that has them", name);
    }

    public static string Shape(Tensor x) => $"[{string.Join(", ", x.shape)}]";
}
