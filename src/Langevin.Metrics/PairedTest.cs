using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>The outcome of a paired test, two-sided.</summary>
/// <param name="Statistic">t, W, or the mean difference, by test.</param>
/// <param name="PValue">Chance of so large a difference where there is none.</param>
/// <param name="MeanDifference">Mean of first − second.</param>
/// <param name="Count">Pairs given.</param>
public readonly record struct PairedTestResult(double Statistic, double PValue, double MeanDifference, long Count);

/// <summary>Do two methods judged on the same items differ? Tests of the differences of an item's two figures, both [N].</summary>
/// <remarks>Items must be independent. Of equal samples every test gives p = 1.</remarks>
public static class PairedTest
{
    /// <summary>Most pairs that <see cref="Wilcoxon"/> treats exactly.</summary>
    private const int MostExact = 50;

    /// <summary>Student's paired t-test: for means, where the differences are near normal or many.</summary>
    /// <param name="first">[N], N ≥ 2: a figure of each item under one method.</param>
    /// <param name="second">[N]: of the same items under the other.</param>
    /// <returns>Statistic t with N − 1 degrees of freedom.</returns>
    public static PairedTestResult StudentT(Tensor first, Tensor second)
    {
        double[] d = Differences(first, second);
        int n = d.Length;
        double mean = d.Average(), deviation = Math.Sqrt(d.Sum(v => (v - mean) * (v - mean)) / (n - 1));
        // Differences all alike: certain when they are not 0.
        double t = mean == 0 ? 0 : mean / (deviation / Math.Sqrt(n));
        return new(t, mean == 0 ? 1 : SpecialFunctions.StudentTwoSided(t, n - 1), mean, n);
    }

    /// <summary>
    /// Wilcoxon's signed-rank test (Wilcoxon 1945, Biometrics Bulletin 1): for any symmetric differences. Zero differences are left
    /// out; up to 50 pairs without ties or zeros are treated exactly, others by the normal approximation corrected for ties and
    /// not for continuity.
    /// </summary>
    /// <inheritdoc cref="StudentT" path="/param"/>
    /// <returns>Statistic W, the smaller of the rank sums of positive and negative differences.</returns>
    public static PairedTestResult Wilcoxon(Tensor first, Tensor second)
    {
        double[] all = Differences(first, second);
        double[] d = [.. all.Where(v => v != 0)];
        double mean = all.Average(), n = d.Length;
        if (n == 0) return new(0, 1, mean, all.Length);
        var (ranks, ties) = Ranks(d);
        double positive = d.Zip(ranks).Where(p => p.First > 0).Sum(p => p.Second), w = Math.Min(positive, n * (n + 1) / 2 - positive);
        double p = ties == 0 && d.Length == all.Length && n <= MostExact
            ? Math.Min(1, 2 * ShareOfRankSums(d.Length, (int)w))
            : SpecialFunctions.NormalTwoSided((w - n * (n + 1) / 4) / Math.Sqrt((n * (n + 1) * (2 * n + 1) - ties / 2) / 24));
        return new(w, p, mean, all.Length);
    }

    /// <summary>
    /// Sign-flip permutation test of the mean difference (Fisher 1935): for any differences symmetric about 0 where there is no
    /// effect. Where all 2ᴺ flips are no more than <paramref name="permutations"/>, all are tried and p is exact; else
    /// p = (1 + flips at least as far from 0) / (1 + permutations).
    /// </summary>
    /// <param name="first">[N], N ≥ 2.</param>
    /// <param name="second">[N].</param>
    /// <param name="permutations">Random flips, at least 1.</param>
    /// <param name="seed">Seed of the flips.</param>
    /// <returns>Statistic: the mean difference.</returns>
    public static PairedTestResult SignFlip(Tensor first, Tensor second, int permutations = 9999, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(permutations, 1);
        double[] d = Differences(first, second);
        double mean = d.Average();
        // Rounding must not make a flip equal to the data count as nearer to 0.
        double least = Math.Abs(d.Sum()) - 1e-12 * d.Sum(Math.Abs);
        bool exact = d.Length < 30 && 1L << d.Length <= permutations;
        long flips = exact ? 1L << d.Length : permutations, block = Math.Max(1, (1 << 20) / d.Length), far = 0;
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)seed);
        var values = tensor(d, float64);
        for (long done = 0; done < flips; done += block)
        {
            using var part = NewDisposeScope();
            long count = Math.Min(block, flips - done);
            var bits = exact
                ? arange(done, done + count, int64).unsqueeze(1).bitwise_right_shift(arange(d.Length, int64).unsqueeze(0)).bitwise_and(tensor(1L))
                : randint(2, [count, d.Length], int64, generator: random);
            far += (bits.to(float64) * 2 - 1).mv(values).abs().ge(least).sum().item<long>();
        }
        return new(mean, exact ? (double)far / flips : (1.0 + far) / (1.0 + flips), mean, d.Length);
    }

    /// <summary>Percentile bootstrap interval of the mean difference; one that leaves out 0 shows a difference.</summary>
    /// <param name="first">[N], N ≥ 2.</param>
    /// <param name="second">[N].</param>
    /// <param name="resamples">At least 10.</param>
    /// <param name="level">Confidence level.</param>
    /// <param name="seed">Seed of the resampling.</param>
    public static Interval MeanDifference(Tensor first, Tensor second, int resamples = 2000, double level = 0.95, long seed = 0)
    {
        using var scope = NewDisposeScope();
        var d = tensor(Differences(first, second), float64);
        return Bootstrap.Interval(d.size(0), i => d.index_select(0, i).mean().item<double>(), resamples, level, seed);
    }

    /// <summary>Share of the 2ⁿ sets of ranks from 1 to n whose sum is at most w.</summary>
    private static double ShareOfRankSums(int n, int w)
    {
        var ways = new double[w + 1];
        ways[0] = 1;
        for (int rank = 1; rank <= n; rank++)
            for (int sum = w; sum >= rank; sum--) ways[sum] += ways[sum - rank];
        return ways.Sum() / Math.Pow(2, n);
    }

    /// <summary>Ranks of the absolute values from 1, equal ones sharing their mean rank, and Σ (t³ − t) over runs of t ties.</summary>
    private static (double[] ranks, double ties) Ranks(double[] d)
    {
        double[] size = Array.ConvertAll(d, Math.Abs), ranks = new double[d.Length];
        int[] order = [.. Enumerable.Range(0, d.Length).OrderBy(i => size[i])];
        double ties = 0;
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && size[order[end]] == size[order[start]]; end++) { }
            for (int i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2.0;
            double run = end - start;
            ties += run * run * run - run;
        }
        return (ranks, ties);
    }

    private static double[] Differences(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.dim() != 1 || first.size(0) < 2)
            throw new ArgumentException($"expected a figure of each of at least 2 items, [N], got {Require.Shape(first)}", nameof(first));
        Require.SameShape(first, second);
        Require.Finite(first);
        Require.Finite(second);
        using var scope = NewDisposeScope();
        return [.. (first.detach().cpu().to(float64) - second.detach().cpu().to(float64)).data<double>()];
    }
}
