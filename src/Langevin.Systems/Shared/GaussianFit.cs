using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>The plainest generator: a Gaussian fitted to the data along their leading principal components.</summary>
public static class GaussianFit
{
    /// <summary>Draws samples; the caller's.</summary>
    /// <param name="data">[N, ...].</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="components">Directions kept; all that carry variance where there are fewer.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <returns>[count, ...].</returns>
    public static Tensor Sample(Tensor data, int count, int components, long seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        return WrappedTensorDisposeScope(() =>
        {
            var flat = data.flatten(1).to(ScalarType.Float64);
            var mean = flat.mean([0L], keepdim: true);
            var (_, s, vh) = linalg.svd(flat - mean, fullMatrices: false);
            long kept = Math.Min(components, s.size(0));
            using var generator = new Generator((ulong)seed);
            var z = randn([count, kept], ScalarType.Float64, generator: generator) * s.narrow(0, 0, kept) / Math.Sqrt(flat.size(0) - 1);
            return (mean + z.mm(vh.narrow(0, 0, kept))).view([count, .. data.shape.AsSpan(1)]).to(data.dtype);
        });
    }
}
