using static TorchSharp.torch;

namespace Langevin.Metrics.PointClouds;

/// <summary>Nearest-point distances between clouds [N, P, D] and [N, Q, D] (Fan et al. 2017, arXiv:1612.00603).</summary>
public static class Chamfer
{
    /// <summary>Squared distance of each point to the nearest of the other cloud, [N, P] and [N, Q].</summary>
    public static (Tensor first, Tensor second) NearestSquared(Tensor first, Tensor second)
    {
        Clouds.Check(first, second);
        using var scope = NewDisposeScope();
        var squared = Clouds.Squared(first, second);
        return (squared.amin([2]).MoveToOuterDisposeScope(), squared.amin([1]).MoveToOuterDisposeScope());
    }

    /// <summary>Mean of the squared nearest distances, both ways added: [N]. The "CD" of most point-cloud papers.</summary>
    public static Tensor Squared(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var (a, b) = NearestSquared(first, second);
        return (a.mean([1]) + b.mean([1])).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of the nearest distances, both ways added: [N].</summary>
    public static Tensor Distance(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var (a, b) = NearestSquared(first, second);
        return (a.sqrt().mean([1]) + b.sqrt().mean([1])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// F-score at a distance: harmonic mean of the shares of points of each cloud within it of the other
    /// (Knapitsch et al. 2017, ACM TOG 36): [N].
    /// </summary>
    public static Tensor FScore(Tensor first, Tensor second, double threshold)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threshold);
        using var scope = NewDisposeScope();
        var (a, b) = NearestSquared(first, second);
        var (p, r) = (a.lt(threshold * threshold).to(float64).mean([1]), b.lt(threshold * threshold).to(float64).mean([1]));
        return (2 * p * r / (p + r).clamp_min(1e-300)).MoveToOuterDisposeScope();
    }

    /// <summary>Squared Chamfer distance of every cloud of one set to every cloud of another, [N, M].</summary>
    /// <param name="first">[N, P, D].</param>
    /// <param name="second">[M, Q, D].</param>
    public static Tensor Pairwise(Tensor first, Tensor second)
    {
        Clouds.CheckPair(first, second);
        using var scope = NewDisposeScope();
        var rows = new List<Tensor>();
        for (long i = 0; i < first.size(0); i++)
        {
            using var one = NewDisposeScope();
            rows.Add(Squared(first[i].unsqueeze(0).expand(second.size(0), -1, -1), second).MoveToOuterDisposeScope());
        }
        return stack(rows).MoveToOuterDisposeScope();
    }
}
