using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>Some items of a set, collated; disposing it frees its tensors.</summary>
/// <param name="Samples">float32 [N, ...item shape], contiguous, on the CPU; images in [−1, 1].</param>
/// <param name="Labels">int64 [N], or null when the items bear no label.</param>
public sealed record Batch(Tensor Samples, Tensor? Labels) : IDisposable
{
    /// <summary>A sentence for each item, where the set has captions.</summary>
    public IReadOnlyList<string>? Captions { get; init; }

    /// <summary>Number of items N.</summary>
    public int Count => (int)Samples.shape[0];

    /// <summary>Takes the tensors out of any dispose scope, so that they can change threads; returns this batch.</summary>
    public Batch Detach()
    {
        Samples.DetachFromDisposeScope();
        Labels?.DetachFromDisposeScope();
        return this;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Samples.Dispose();
        Labels?.Dispose();
    }
}
