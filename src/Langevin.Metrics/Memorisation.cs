using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>A generated sample and the training sample nearest to it.</summary>
/// <param name="Sample">Index of the generated sample.</param>
/// <param name="Training">Index of the training sample.</param>
/// <param name="Distance">Euclidean distance.</param>
public readonly record struct ClosestPair(long Sample, long Training, double Distance);

/// <summary>How near generated samples lie to the training set, compared with real samples never trained on.</summary>
/// <param name="MedianRatio">
/// Median nearest-training distance of the samples over that of the held-out set: about 1 for samples as new as held-out
/// data, near 0 for copies. Over-smooth samples lower it too.
/// </param>
/// <param name="NearerShare">Share of the samples nearer than the held-out set's <paramref name="Percentile"/>-th percentile.</param>
/// <param name="Percentile">p; a faithful generator has <paramref name="NearerShare"/> ≈ p/100.</param>
/// <param name="Threshold">The distance at that percentile.</param>
/// <param name="SampleMedian">Median nearest distance of the samples.</param>
/// <param name="HeldOutMedian">Median nearest distance of the held-out set.</param>
/// <param name="Duplicates">Samples at distance 0: byte-for-byte copies.</param>
/// <param name="Closest">The closest pairs, nearest first, for a picture.</param>
public sealed record MemorisationResult(
    double MedianRatio, double NearerShare, double Percentile, double Threshold, double SampleMedian, double HeldOutMedian,
    long Duplicates, IReadOnlyList<ClosestPair> Closest);

/// <summary>Nearest-neighbour check for memorised training data, in pixel or in feature space.</summary>
public static class Memorisation
{
    /// <summary>Compares samples and held-out data by their distance to the training set, by blocks.</summary>
    /// <param name="samples">Generated, [N, ...]; each sample is flattened to a row.</param>
    /// <param name="training">Training set, [T, ...].</param>
    /// <param name="heldOut">Real data not in the training set, [H, ...].</param>
    /// <param name="percentile">p of the near share, between 0 and 100.</param>
    /// <param name="pairs">How many closest pairs to report.</param>
    public static MemorisationResult Check(Tensor samples, Tensor training, Tensor heldOut, double percentile = 1, int pairs = 8)
    {
        if (!(percentile is > 0 and < 100))
            throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "must be between 0 and 100");
        ArgumentOutOfRangeException.ThrowIfNegative(pairs);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (s, t, h) = (Rows(samples, nameof(samples)), Rows(training, nameof(training)), Rows(heldOut, nameof(heldOut)));
        Require.SameWidth(t, s, nameof(samples));
        Require.SameWidth(t, h, nameof(heldOut));
        var (distance, index) = Distances.Nearest(s, t);
        var real = Sorted(Distances.Nearest(h, t).distance);
        double threshold = Bootstrap.Quantile(real, percentile / 100);
        var order = distance.argsort(0);
        var closest = order.narrow(0, 0, Math.Min(pairs, distance.size(0)));
        var found = closest.data<long>().ToArray()
            .Zip(index[closest].data<long>().ToArray(), distance[closest].data<double>().ToArray())
            .Select(p => new ClosestPair(p.First, p.Second, p.Third)).ToArray();
        var near = Sorted(distance);
        double median = Bootstrap.Quantile(near, 0.5), realMedian = Bootstrap.Quantile(real, 0.5);
        return new(
            realMedian > 0 ? median / realMedian : double.NaN, near.Count(d => d < threshold) / (double)near.Length, percentile, threshold,
            median, realMedian, near.Count(d => d == 0), found);
    }

    /// <summary>
    /// Memorisation ratio: share of the samples that lie nearer to their nearest training sample than
    /// <paramref name="threshold"/> times the distance to the second nearest (Yoon et al. 2023; Gu et al. 2023, arXiv:2310.02664).
    /// </summary>
    /// <param name="samples">Generated, [N, ...]; each sample is flattened to a row.</param>
    /// <param name="training">Training set, [T, ...], T ≥ 2. Duplicates in it hide copies of themselves.</param>
    /// <param name="threshold">1/3 in the papers.</param>
    public static double CopiedShare(Tensor samples, Tensor training, double threshold = 1.0 / 3)
    {
        if (!(threshold is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "must be between 0 and 1");
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (s, t) = (Rows(samples, nameof(samples)), Rows(training, nameof(training)));
        Require.SameWidth(t, s, nameof(samples));
        if (t.size(0) < 2) throw new ArgumentException("one training sample has no second nearest", nameof(training));
        var distance = Distances.NearestFew(s, t, 2).distance;
        return distance.select(1, 0).lt(distance.select(1, 1) * threshold).to(float64).mean().item<double>();
    }

    private static double[] Sorted(Tensor distances)
    {
        var values = distances.data<double>().ToArray();
        Array.Sort(values);
        return values;
    }

    private static Tensor Rows(Tensor x, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() < 2 || x.size(0) < 1 || x.numel() == 0)
            throw new ArgumentException($"expected at least one sample [N, ...], got {Require.Shape(x)}", name);
        if (!x.is_floating_point()) throw new ArgumentException($"expected floating-point values, got {x.dtype}", name);
        var rows = x.detach().cpu().flatten(1);
        Require.Finite(rows, name);
        return rows;
    }
}
