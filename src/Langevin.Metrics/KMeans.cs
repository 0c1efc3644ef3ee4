using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Lloyd's k-means from a k-means++ start (Arthur and Vassilvitskii 2007), by blocks.</summary>
internal static class KMeans
{
    /// <summary>Cluster centres [K, D], float64; one seed, one result.</summary>
    public static Tensor Fit(Tensor x, int clusters, long seed, int iterations = 50)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)seed);
        var rows = x.to(float64);
        var centres = Start(rows, clusters, random);
        var before = zeros(rows.size(0), int64, rows.device) - 1;
        for (int i = 0; i < iterations; i++)
        {
            using var step = NewDisposeScope();
            var nearest = Nearest(rows, centres).index;
            if (nearest.eq(before).all().item<bool>()) break;
            before.copy_(nearest);
            var counts = nearest.bincount(null!, clusters).to(float64).unsqueeze(1);
            var sums = zeros_like(centres).index_add_(0, nearest, rows, 1);
            // A cluster that lost all its members stays where it was.
            centres.copy_(where(counts.gt(0), sums / counts.clamp_min(1), centres));
        }
        return centres.MoveToOuterDisposeScope();
    }

    /// <summary>The nearest centre of each row, int64 [N], and the squared distance to it.</summary>
    public static (Tensor index, Tensor squared) Nearest(Tensor rows, Tensor centres)
    {
        using var scope = NewDisposeScope();
        var index = empty(rows.size(0), int64, rows.device);
        var squared = empty(rows.size(0), float64, rows.device);
        foreach (var (start, count) in Distances.Blocks(rows.size(0), Math.Max(centres.size(0), centres.size(1))))
        {
            using var block = NewDisposeScope();
            var (least, which) = Distances.Squared(rows.narrow(0, start, count).to(float64), centres).min(1);
            index.narrow(0, start, count).copy_(which);
            squared.narrow(0, start, count).copy_(least);
        }
        return (index.MoveToOuterDisposeScope(), squared.MoveToOuterDisposeScope());
    }

    private static Tensor Start(Tensor rows, int clusters, Generator random)
    {
        using var scope = NewDisposeScope();
        var centres = empty([clusters, rows.size(1)], float64, rows.device);
        var nearest = full(rows.size(0), double.PositiveInfinity, float64, rows.device);
        long next = randint(rows.size(0), [1], int64, generator: random).item<long>();
        for (int k = 0; k < clusters; k++)
        {
            using var one = NewDisposeScope();
            centres[k].copy_(rows[next]);
            nearest.copy_(minimum(nearest, Nearest(rows, centres.narrow(0, k, 1)).squared));
            // Drawn with probability proportional to the squared distance, by inversion of its cumulative sum.
            var cumulative = nearest.cumsum(0);
            double at = rand([1], float64, generator: random).item<double>() * cumulative[-1].item<double>();
            next = Math.Min(searchsorted(cumulative, tensor(new[] { at }, float64), right: true).item<long>(), rows.size(0) - 1);
        }
        return centres.MoveToOuterDisposeScope();
    }
}
