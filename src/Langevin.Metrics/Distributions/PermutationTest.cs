using static TorchSharp.torch;

namespace Langevin.Metrics.Distributions;

/// <summary>The outcome of a permutation test.</summary>
/// <param name="Statistic">The distance of the two samples.</param>
/// <param name="PValue">(1 + permutations at least as distant) / (1 + permutations): never 0, and at most 1/(1 + permutations) where nothing came near.</param>
/// <param name="Permutations">Random divisions of the pooled samples.</param>
public readonly record struct PermutationTestResult(double Statistic, double PValue, int Permutations);

/// <summary>
/// Two-sample tests: how often a random division of the pooled samples is as distant as the true one, if both came from one
/// distribution. Exact in level for any sizes (Phipson and Smyth 2010, SAGMB 9).
/// </summary>
/// <remarks>
/// Distances of the pooled samples are computed, or sorted, once; a division only chooses among them. Samples must be
/// independent: windows of one series are not.
/// </remarks>
public static class PermutationTest
{
    /// <summary>Pooled samples of which all pairs are held, 512 MiB in float64 and a few times that while they are made.</summary>
    private const long MostSamples = 1 << 13;

    /// <summary>Entries of a block of divisions, 32 MiB in float64.</summary>
    private const long BlockEntries = 1L << 22;

    /// <summary>Rounding must not make a division equal to the true one count as nearer.</summary>
    private const double Slack = 1e-12;

    /// <summary>The energy test (Székely and Rizzo 2004, InterStat 5) of <see cref="TwoSample.EnergySquared"/>.</summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D], N + M ≤ 8,192.</param>
    /// <param name="permutations">At least 1; 999 give p-values in thousandths.</param>
    /// <param name="seed">Seed of the divisions.</param>
    public static PermutationTestResult Energy(Tensor x, Tensor y, int permutations = 999, long seed = 0)
    {
        using var scope = NewDisposeScope();
        var (pool, n, m) = Pooled(x, y, 1, permutations);
        CheckSize(n + m);
        var distances = cdist(pool, pool, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist);
        return OfPairs(distances, n, m, (xx, yy, xy) => 2 * xy / ((double)n * m) - xx / ((double)n * n) - yy / ((double)m * m), permutations, seed);
    }

    /// <summary>The kernel two-sample test (Gretton et al. 2012, JMLR 13) of the unbiased <see cref="MeanDiscrepancy.Squared"/>.</summary>
    /// <param name="x">[N, D], N ≥ 2.</param>
    /// <param name="y">[M, D], M ≥ 2, N + M ≤ 8,192.</param>
    /// <param name="kernel">Null takes the Gaussian kernel of <see cref="MedianBandwidth"/>.</param>
    /// <param name="permutations">At least 1.</param>
    /// <param name="seed">Seed of the divisions.</param>
    public static PermutationTestResult MeanDiscrepancy(Tensor x, Tensor y, Kernel? kernel = null, int permutations = 999, long seed = 0)
    {
        using var scope = NewDisposeScope();
        var (pool, n, m) = Pooled(x, y, 2, permutations);
        CheckSize(n + m);
        var gram = (kernel ?? new Kernel.Gaussian(MedianBandwidth(pool))).Of(pool, pool);
        // A sample is not paired with itself: with an empty diagonal the sums are over the other pairs.
        gram.diagonal(0, 0, 1).zero_();
        return OfPairs(gram, n, m, (xx, yy, xy) => xx / ((double)n * (n - 1)) + yy / ((double)m * (m - 1)) - 2 * xy / ((double)n * m), permutations, seed);
    }

    /// <summary>The test of <see cref="TwoSample.SlicedWasserstein1(Tensor, Tensor, int, long)"/> on the same random directions.</summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D].</param>
    /// <param name="directions">Projections, at least 1.</param>
    /// <param name="permutations">At least 1.</param>
    /// <param name="seed">Seed of the directions and of the divisions.</param>
    public static PermutationTestResult SlicedWasserstein(Tensor x, Tensor y, int directions = 128, int permutations = 999, long seed = 0)
    {
        using var scope = NewDisposeScope();
        var (pool, n, m) = Pooled(x, y, 1, permutations);
        var projected = TwoSample.Directions(pool.size(1), directions, seed).to(pool.device).mm(pool.t());
        var (values, order) = projected.sort(1);
        var gaps = values.diff(1, 1);
        // ∫|F − G| over the pooled order: each sample of x steps F by 1/n, each of y steps G by 1/m.
        return Run(n, m, directions, permutations, seed, gaps.sum([1]).mean().item<double>(), pool.device, chosen =>
        {
            var step = chosen * (1.0 / n + 1.0 / m) - 1.0 / m;
            var difference = step.index_select(1, order.flatten()).view(chosen.size(0), order.size(0), -1).cumsum(2);
            return (difference.narrow(2, 0, gaps.size(1)).abs() * gaps).sum([2]).mean([1]);
        });
    }

    /// <summary>The median heuristic: the median distance of different rows, σ of <see cref="Kernel.Gaussian"/>.</summary>
    /// <param name="samples">[N, D], 2 ≤ N ≤ 8,192.</param>
    /// <exception cref="ArgumentException">More than half of the distances are 0.</exception>
    public static double MedianBandwidth(Tensor samples)
    {
        Require.Matrix(samples, 2);
        CheckSize(samples.size(0));
        using var scope = NewDisposeScope();
        var a = samples.detach().to(float64);
        var distances = cdist(a, a, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist);
        // The N zeros of the diagonal are the smallest; every other distance stands there twice.
        long n = samples.size(0), pairs = n * (n - 1);
        double At(long rank) => distances.flatten().kthvalue(n + rank + 1, 0).Item1.item<double>();
        double median = (At(pairs / 2 - 1) + At(pairs / 2)) / 2;
        return median > 0 ? median : throw new ArgumentException("more than half of the samples are equal: choose a kernel", nameof(samples));
    }

    /// <summary>A statistic of the sums over pairs within x, within y and between them, under random divisions.</summary>
    private static PermutationTestResult OfPairs(Tensor pairs, long n, long m, Func<Tensor, Tensor, Tensor, Tensor> statistic, int permutations, long seed)
    {
        var rows = pairs.sum(1);
        var all = rows.sum();
        double scale = all.abs().item<double>() / ((double)(n + m) * (n + m));
        return Run(n, m, 1, permutations, seed, scale, pairs.device, chosen =>
        {
            // With s the indicator of x: Σ_xx = sᵀKs, Σ_xy = sᵀr − Σ_xx, and the rest is Σ_yy.
            var xx = (chosen.mm(pairs) * chosen).sum([1]);
            var xy = chosen.mv(rows) - xx;
            return statistic(xx, all - xx - 2 * xy, xy);
        });
    }

    // Statistics [P] are those of divisions given as indicators of x, [P, n + m]; one holds width times as many entries.
    // The scale is the size of the numbers whose difference the statistic is, on which its rounding depends.
    private static PermutationTestResult Run(
        long n, long m, long width, int permutations, long seed, double scale, Device device, Func<Tensor, Tensor> statistics)
    {
        using var random = new Generator((ulong)seed);
        long total = n + m, block = Math.Clamp(BlockEntries / (total * width), 1, permutations);
        double statistic;
        using (NewDisposeScope())
            statistic = statistics(cat([ones(1, n, float64, device), zeros(1, m, float64, device)], 1)).item<double>();
        double least = statistic - Slack * scale;
        long distant = 0;
        for (long done = 0; done < permutations; done += block)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(block, permutations - done);
            var first = rand([count, total], float64, generator: random).argsort(1).narrow(1, 0, n).to(device);
            var chosen = zeros([count, total], float64, device).scatter_(1, first, ones([count, n], float64, device));
            distant += statistics(chosen).ge(least).sum().item<long>();
        }
        return new(statistic, (1.0 + distant) / (1.0 + permutations), permutations);
    }

    private static (Tensor pool, long n, long m) Pooled(Tensor x, Tensor y, long rows, int permutations)
    {
        Require.Matrix(x, rows);
        Require.Matrix(y, rows);
        Require.SameWidth(x, y);
        Require.Finite(x);
        Require.Finite(y);
        ArgumentOutOfRangeException.ThrowIfLessThan(permutations, 1);
        var (a, b) = Distances.Centred(x.detach(), y.detach());
        return (cat([a, b]), x.size(0), y.size(0));
    }

    private static void CheckSize(long samples)
    {
        if (samples > MostSamples)
            throw new ArgumentException($"{samples} samples in all are too many to hold every pair: draw at most {MostSamples} of them", nameof(samples));
    }
}
