using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Pairwise Euclidean distances by blocks: no matrix larger than a block is ever held.</summary>
internal static class Distances
{
    /// <summary>Entries of one block, 32 MiB in float64.</summary>
    private const long BlockEntries = 1L << 22;

    /// <summary>Squared distances [N, M] of rows [N, D] and [M, D] as |x|² + |y|² − 2x·y, never below 0.</summary>
    public static Tensor Squared(Tensor x, Tensor y) => WrappedTensorDisposeScope(() =>
    {
        var product = x.mm(y.t()).mul_(-2);
        product.add_(x.square().sum(1, keepdim: true)).add_(y.square().sum(1).unsqueeze(0));
        return product.clamp_(min: 0);
    });

    /// <summary>Consecutive row ranges such that a block of them against <paramref name="columns"/> columns stays small.</summary>
    public static IEnumerable<(long start, long count)> Blocks(long rows, long columns)
    {
        long step = Math.Clamp(BlockEntries / Math.Max(1, columns), 1, Math.Max(1, rows));
        for (long start = 0; start < rows; start += step)
            yield return (start, Math.Min(step, rows - start));
    }

    /// <summary>Both sets in float64 about the mean of the first, which keeps |x|² + |y|² − 2x·y accurate.</summary>
    public static (Tensor x, Tensor y) Centred(Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (x.to(float64), y.to(float64, x.device));
        var centre = a.mean([0], keepdim: true);
        return ((a - centre).MoveToOuterDisposeScope(), (b - centre).MoveToOuterDisposeScope());
    }

    /// <summary>Squared distance of each row to its k-th nearest other row, [N].</summary>
    public static Tensor SquaredRadii(Tensor x, int k)
    {
        using var scope = NewDisposeScope();
        var radii = empty(x.size(0), x.dtype, x.device);
        foreach (var (start, count) in Blocks(x.size(0), x.size(0)))
        {
            using var block = NewDisposeScope();
            var squared = Squared(x.narrow(0, start, count), x);
            // The row itself is one of the k + 1 nearest: its distance is set to exactly 0, below every other.
            squared.diagonal(start, 0, 1).zero_();
            var nearest = squared.topk(k + 1, 1, largest: false, sorted: true).values;
            radii.narrow(0, start, count).copy_(nearest.select(1, k));
        }
        return radii.MoveToOuterDisposeScope();
    }

    /// <summary>Exact distance and index of the nearest reference row of each query row; both [N], float64 and int64.</summary>
    public static (Tensor distance, Tensor index) Nearest(Tensor queries, Tensor reference)
    {
        using var scope = NewDisposeScope();
        var (distance, index) = NearestFew(queries, reference, 1);
        return (distance.select(1, 0).contiguous().MoveToOuterDisposeScope(), index.select(1, 0).contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>Exact distances and indices of the nearest reference rows of each query row, nearest first; both [N, count].</summary>
    /// <remarks>A float32 search proposes a few candidates, their distances are then computed by differences in float64.</remarks>
    public static (Tensor distance, Tensor index) NearestFew(Tensor queries, Tensor reference, int count)
    {
        using var scope = NewDisposeScope();
        var centre = reference.mean([0], keepdim: true, type: float64).to(float32);
        var r = (reference.to(float32) - centre).contiguous();
        int candidates = (int)Math.Min(count + 3, reference.size(0));
        var distance = empty([queries.size(0), count], float64, queries.device);
        var index = empty([queries.size(0), count], int64, queries.device);
        foreach (var (start, rows) in Blocks(queries.size(0), Math.Max(reference.size(0), candidates * reference.size(1))))
        {
            using var block = NewDisposeScope();
            var x = queries.narrow(0, start, rows);
            var nearest = Squared(x.to(float32) - centre, r).topk(candidates, 1, largest: false, sorted: true).indexes;
            var there = reference.index_select(0, nearest.flatten()).view(rows, candidates, -1).to(float64);
            var (best, which) = (there - x.to(float64).unsqueeze(1)).square().sum(2).topk(count, 1, largest: false, sorted: true);
            distance.narrow(0, start, rows).copy_(best.sqrt());
            index.narrow(0, start, rows).copy_(nearest.gather(1, which));
        }
        return (distance.MoveToOuterDisposeScope(), index.MoveToOuterDisposeScope());
    }
}
