using static TorchSharp.torch;

namespace Langevin.Tests;

internal static class TensorAssert
{
    /// <summary>Whether two tensors have the same shape and equal elements.</summary>
    public static bool SameAs(this Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return a.shape.AsSpan().SequenceEqual(b.shape) && a.dtype == b.dtype && a.eq(b).all().item<bool>();
    }
}
