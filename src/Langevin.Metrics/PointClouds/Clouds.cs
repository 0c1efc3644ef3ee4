using static TorchSharp.torch;

namespace Langevin.Metrics.PointClouds;

/// <summary>What the metrics of point clouds share.</summary>
internal static class Clouds
{
    /// <summary>Squared distances [N, P, Q] of points [N, P, D] and [N, Q, D], in float64 by differences.</summary>
    public static Tensor Squared(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (first.to(float64), second.to(float64));
        var squared = zeros([a.size(0), a.size(1), b.size(1)], float64, a.device);
        // One coordinate at a time: exact zeros for equal points, and no [N, P, Q, D] tensor.
        for (long d = 0; d < a.size(2); d++)
        {
            using var axis = NewDisposeScope();
            squared.add_((a.select(2, d).unsqueeze(2) - b.select(2, d).unsqueeze(1)).square());
        }
        return squared.MoveToOuterDisposeScope();
    }

    /// <summary>Clouds [N, P, D] and [N, Q, D] with finite points.</summary>
    public static void Check(Tensor first, Tensor second)
    {
        CheckPair(first, second);
        if (first.size(0) != second.size(0))
            throw new ArgumentException($"{second.size(0)} clouds where the other batch has {first.size(0)}", nameof(second));
    }

    /// <summary>Sets of clouds [N, P, D] and [M, Q, D] with finite points.</summary>
    public static void CheckPair(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.dim() != 3 || second.dim() != 3 || first.size(2) != second.size(2) || first.numel() == 0 || second.numel() == 0)
            throw new ArgumentException($"expected clouds [N, P, D] and [M, Q, D], got {Require.Shape(first)} and {Require.Shape(second)}", nameof(second));
        Require.Finite(first);
        Require.Finite(second);
    }
}
