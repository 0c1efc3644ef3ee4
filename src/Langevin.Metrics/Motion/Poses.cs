using static TorchSharp.torch;

namespace Langevin.Metrics.Motion;

/// <summary>What the metrics of poses share.</summary>
internal static class Poses
{
    /// <summary>Poses [..., J, D] of one shape, D = 2 or 3, finite.</summary>
    public static void Check(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        Require.SameShape(first, second);
        if (first.dim() < 2 || first.size(-1) is not (2 or 3) || first.numel() == 0)
            throw new ArgumentException($"expected poses [..., J, D] of J joints in D = 2 or 3 dimensions, got {Require.Shape(first)}", nameof(first));
        Require.Finite(first);
        Require.Finite(second);
    }

    /// <summary>One pose after another, float64 [poses, J, D].</summary>
    public static Tensor Each(Tensor poses) => poses.detach().to(float64).reshape(-1, poses.size(-2), poses.size(-1));
}
