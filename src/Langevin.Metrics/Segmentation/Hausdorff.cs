using static TorchSharp.torch;

namespace Langevin.Metrics.Segmentation;

/// <summary>Distance between the outlines of two masks.</summary>
public static class Hausdorff
{
    /// <summary>
    /// The larger of the two directed percentiles of the distance, in pixels, from an outline pixel of one mask to the
    /// nearest of the other. An outline pixel is inside with a side neighbour outside (the image border counts as outside).
    /// </summary>
    /// <param name="first">[H, W] or [D, H, W]; anything but 0 is inside.</param>
    /// <param name="second">The same shape.</param>
    /// <param name="percentile">100 is the classical distance, 95 the robust one.</param>
    /// <returns>0 for two empty masks, infinity when only one is empty.</returns>
    public static double Distance(Tensor first, Tensor second, double percentile = 95)
    {
        Require.SameShape(first, second);
        if (first.dim() is not (2 or 3)) throw new ArgumentException($"expected a mask [H, W] or [D, H, W], got {Require.Shape(first)}", nameof(first));
        if (!(percentile is > 0 and <= 100)) throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "must be above 0 and at most 100");
        using var scope = NewDisposeScope();
        var (a, b) = (Outline(first), Outline(second));
        if (a.size(0) == 0 || b.size(0) == 0) return a.size(0) == b.size(0) ? 0 : double.PositiveInfinity;
        return Math.Max(Directed(a, b, percentile), Directed(b, a, percentile));
    }

    private static double Directed(Tensor from, Tensor to, double percentile)
    {
        var distances = Distances.Nearest(from, to).distance;
        return distances.quantile(tensor(percentile / 100, float64), 0).item<double>();
    }

    /// <summary>Coordinates of the outline, float32 [E, dimensions].</summary>
    private static Tensor Outline(Tensor mask)
    {
        var inside = mask.detach().cpu().ne(0);
        var core = inside;
        for (int d = 0; d < inside.dim(); d++)
        {
            long side = inside.size(d);
            var edge = zeros_like(inside.narrow(d, 0, 1));
            core = core.logical_and(cat([edge, inside.narrow(d, 0, side - 1)], d)).logical_and(cat([inside.narrow(d, 1, side - 1), edge], d));
        }
        return inside.logical_and(core.logical_not()).nonzero().to(float32);
    }
}
