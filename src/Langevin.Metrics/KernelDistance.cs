using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Mean and spread of the kernel distance over subsets.</summary>
/// <param name="Mean">Mean over the subsets; may be slightly negative for equal distributions.</param>
/// <param name="StandardDeviation">Population standard deviation over the subsets.</param>
/// <param name="Subsets">How many subsets were drawn.</param>
/// <param name="SubsetSize">Samples of each set in a subset.</param>
public sealed record KernelDistanceResult(double Mean, double StandardDeviation, int Subsets, int SubsetSize);

/// <summary>
/// The kernel distance: unbiased squared maximum mean discrepancy under (x·y/D + 1)³, over subsets; KID when the features
/// are those of the Inception network (Bińkowski et al. 2018, arXiv:1801.01401). Unlike the Fréchet distance its
/// expectation does not depend on the sample count.
/// </summary>
public static class KernelDistance
{
    /// <summary>The kernel of the paper.</summary>
    public static Kernel Cubic { get; } = new Kernel.Polynomial();

    /// <summary>Draws subsets without replacement and averages.</summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[M, D].</param>
    /// <param name="subsets">How many, at least 1.</param>
    /// <param name="subsetSize">Samples of each set in a subset, at least 2; lowered to the smaller set.</param>
    /// <param name="seed">Seed of the draws.</param>
    public static KernelDistanceResult Between(Tensor first, Tensor second, int subsets = 100, int subsetSize = 1000, long seed = 0)
    {
        Require.Matrix(first, 2);
        Require.Matrix(second, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(subsetSize, 2);
        long size = Math.Min(subsetSize, Math.Min(first.size(0), second.size(0)));
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)seed);
        Tensor Draw(long n) => randperm(n, generator: random).narrow(0, 0, size);
        var draws = Enumerable.Range(0, subsets).Select(_ => (Draw(first.size(0)), Draw(second.size(0)))).ToArray();
        return Over(first, second, stack(draws.Select(d => d.Item1)), stack(draws.Select(d => d.Item2)));
    }

    /// <summary>The same over given subsets.</summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[M, D].</param>
    /// <param name="indices1">int64 [S, n], rows of the first set.</param>
    /// <param name="indices2">int64 [S, n], rows of the second set.</param>
    public static KernelDistanceResult Over(Tensor first, Tensor second, Tensor indices1, Tensor indices2)
    {
        double[] values = Subsets(first, second, indices1, indices2);
        double mean = values.Average();
        return new(mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), values.Length, (int)indices1.size(1));
    }

    /// <summary>
    /// Bootstrap interval of the distance over the second set's samples, the first taken as given. A resample's repeated
    /// samples are not paired with themselves, so it stays unbiased.
    /// </summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[M, D], the generated ones.</param>
    /// <param name="resamples">How many resamples.</param>
    /// <param name="level">Confidence level.</param>
    /// <param name="seed">Seed of the resampling.</param>
    /// <param name="most">Of more rows this many are drawn at random: the interval is then wider than that of all.</param>
    public static Interval Interval(Tensor first, Tensor second, int resamples = 200, double level = 0.95, long seed = 0, int most = 5000)
    {
        Require.Matrix(first, 2);
        Require.Matrix(second, 2);
        Require.SameWidth(first, second);
        Metrics.Interval.CheckLevel(level);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 10);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 2);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var random = new Generator((ulong)seed);
        Tensor Some(Tensor x) => (x.size(0) <= most ? x : x.index_select(0, randperm(x.size(0), generator: random).narrow(0, 0, most).to(x.device))).to(float64);
        var (x, y) = (Some(first), Some(second));
        long n = x.size(0), m = y.size(0);
        var weights = stack(Enumerable.Range(0, resamples).Select(_ => randint(m, [m], int64, generator: random).bincount(null!, m).to(float64))).to(y.device);
        double real = 0;
        var (cross, within) = (zeros(m, float64, y.device), zeros(weights.size(0), float64, y.device));
        foreach (var (start, count) in Distances.Blocks(n, n))
        {
            using var block = NewDisposeScope();
            var gram = Cubic.Of(x.narrow(0, start, count), x);
            real += gram.sum().item<double>() - gram.diagonal(start, 0, 1).sum().item<double>();
        }
        foreach (var (start, count) in Distances.Blocks(n, m))
        {
            using var block = NewDisposeScope();
            cross.add_(Cubic.Of(x.narrow(0, start, count), y).sum([0]));
        }
        foreach (var (start, count) in Distances.Blocks(m, m))
        {
            using var block = NewDisposeScope();
            var gram = Cubic.Of(y.narrow(0, start, count), y);
            gram.diagonal(start, 0, 1).zero_();
            within.add_((weights.narrow(1, start, count).mm(gram) * weights).sum(1));
        }
        var pairs = (double)m * m - weights.square().sum(1);
        var values = within / pairs + real / (n * (n - 1.0)) - 2 * weights.mv(cross) / ((double)n * m);
        double[] sorted = values.cpu().data<double>().ToArray();
        Array.Sort(sorted);
        return new(Bootstrap.Quantile(sorted, (1 - level) / 2), Bootstrap.Quantile(sorted, (1 + level) / 2), level);
    }

    /// <summary>The unbiased estimate of each subset.</summary>
    internal static double[] Subsets(Tensor first, Tensor second, Tensor indices1, Tensor indices2)
    {
        Require.Matrix(first, 2);
        Require.Matrix(second, 2);
        Require.SameWidth(first, second);
        Require.SameShape(indices1, indices2);
        if (indices1.dim() != 2 || indices1.size(0) < 1 || indices1.size(1) < 2)
            throw new ArgumentException($"expected indices [S, n] with n at least 2, got {Require.Shape(indices1)}", nameof(indices1));
        var values = new double[indices1.size(0)];
        for (long s = 0; s < values.Length; s++)
        {
            using var scope = NewDisposeScope();
            values[s] = MeanDiscrepancy.Squared(
                first.index_select(0, indices1[s].to(first.device)), second.index_select(0, indices2[s].to(second.device)), Cubic);
        }
        return values;
    }
}
