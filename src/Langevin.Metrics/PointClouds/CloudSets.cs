using static TorchSharp.torch;

namespace Langevin.Metrics.PointClouds;

/// <summary>Minimum matching distance and coverage.</summary>
/// <param name="MatchingDistance">Mean over the references of the distance to the nearest sample (MMD).</param>
/// <param name="SampleDistance">Mean over the samples of the distance to the nearest reference.</param>
/// <param name="Coverage">Share of the references that are some sample's nearest (COV).</param>
public sealed record CoverageResult(double MatchingDistance, double SampleDistance, double Coverage);

/// <summary>Comparisons of two sets of clouds from their pairwise distances.</summary>
public static class CloudSets
{
    /// <summary>MMD and COV (Achlioptas et al. 2018, arXiv:1707.02392).</summary>
    /// <param name="distances">[samples, references].</param>
    public static CoverageResult Coverage(Tensor distances)
    {
        Require.Matrix(distances);
        using var scope = NewDisposeScope();
        var (nearest, which) = distances.min(1);
        return new(
            distances.amin([0]).mean().to(float64).item<double>(), nearest.mean().to(float64).item<double>(),
            which.unique().output.size(0) / (double)distances.size(1));
    }

    /// <summary>
    /// Leave-one-out accuracy of the nearest neighbour at telling the sets apart: 0.5 for equal distributions, 1 for
    /// distinct ones (Lopez-Paz and Oquab 2017, arXiv:1610.06545).
    /// </summary>
    /// <param name="within">[N, N], first set.</param>
    /// <param name="between">[N, M].</param>
    /// <param name="other">[M, M], second set.</param>
    public static double NearestNeighbourAccuracy(Tensor within, Tensor between, Tensor other)
    {
        Require.Matrix(within);
        Require.Matrix(between);
        Require.Matrix(other);
        long n = between.size(0), m = between.size(1);
        if (within.size(0) != n || within.size(1) != n || other.size(0) != m || other.size(1) != m || n + m < 2)
            throw new ArgumentException($"expected [N, N], [N, M] and [M, M], got {Require.Shape(within)}, {Require.Shape(between)} and {Require.Shape(other)}", nameof(between));
        using var scope = NewDisposeScope();
        var all = cat([cat([within, between], 1), cat([between.t(), other], 1)], 0).clone();
        all.diagonal(0, 0, 1).fill_(double.PositiveInfinity);
        var inFirst = arange(n + m, int64).lt(n);
        return inFirst.index_select(0, all.argmin(1).cpu()).eq(inFirst).to(float64).mean().item<double>();
    }

    /// <summary>
    /// Jensen–Shannon divergence, in bits, between the occupancy of two sets of 3-D points on the grid points of the cube
    /// [−½, ½]³ that lie in its ball of radius ½ (Achlioptas et al. 2018): 0 to 1.
    /// </summary>
    /// <param name="first">[..., 3]; points outside the cube count at their nearest grid point.</param>
    /// <param name="second">[..., 3].</param>
    /// <param name="resolution">Grid points a side, at least 2.</param>
    /// <param name="inBall">Whether only the grid points inside the ball are used.</param>
    public static double JensenShannon(Tensor first, Tensor second, int resolution = 28, bool inBall = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resolution, 2);
        using var scope = NewDisposeScope();
        var side = linspace(-0.5, 0.5, resolution, float64);
        var grid = stack([.. meshgrid([side, side, side])], 3).view(-1, 3);
        if (inBall) grid = grid.index_select(0, grid.square().sum(1).le(0.25 + 1e-12).nonzero().view(-1));
        var (p, q) = (Occupancy(first, grid), Occupancy(second, grid));
        return Math.Max(0, (Entropy((p + q) / 2) - (Entropy(p) + Entropy(q)) / 2).item<double>());
    }

    private static Tensor Occupancy(Tensor points, Tensor grid)
    {
        if (points.dim() < 2 || points.size(-1) != 3) throw new ArgumentException($"expected points [..., 3], got {Require.Shape(points)}", nameof(points));
        Require.Finite(points);
        var flat = points.detach().cpu().to(float64).reshape(-1, 3);
        var counts = zeros(grid.size(0), float64);
        foreach (var (start, count) in Distances.Blocks(flat.size(0), grid.size(0)))
        {
            using var block = NewDisposeScope();
            var nearest = Distances.Squared(flat.narrow(0, start, count), grid).argmin(1);
            counts.add_(nearest.bincount(null!, grid.size(0)).to(float64));
        }
        return counts / flat.size(0);
    }

    private static Tensor Entropy(Tensor p) => p.xlogy(p).sum().div(-Math.Log(2));
}
