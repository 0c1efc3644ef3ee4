using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>How two sets fill the bins of one partition.</summary>
/// <param name="Different">Bins whose shares differ significantly (NDB).</param>
/// <param name="Bins">Number of bins K; Different / K is about the significance level for equal distributions.</param>
/// <param name="JensenShannon">Jensen–Shannon divergence of the bins' shares in nats, from 0 to ln 2.</param>
public sealed record DifferentBinsResult(int Different, int Bins, double JensenShannon)
{
    /// <summary>NDB/K.</summary>
    public double Share => (double)Different / Bins;
}

/// <summary>
/// Number of statistically different bins (Richardson and Weiss 2018, arXiv:1805.12462): the real set is cut into bins by
/// k-means, and a two-proportion z-test is made in each bin.
/// </summary>
public static class DifferentBins
{
    /// <summary>Partitions the real set and tests the generated one.</summary>
    /// <param name="real">[N, D], N ≥ K.</param>
    /// <param name="generated">[M, D].</param>
    /// <param name="bins">K, at least 2; the paper's 100 needs some thousand samples.</param>
    /// <param name="significance">Level of each test, between 0 and 1.</param>
    /// <param name="seed">Seed of the partition.</param>
    public static DifferentBinsResult Between(Tensor real, Tensor generated, int bins = 100, double significance = 0.05, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 2);
        Require.Matrix(real, bins);
        Require.Matrix(generated);
        Require.SameWidth(real, generated);
        Require.Finite(real);
        Require.Finite(generated);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (r, g) = Distances.Centred(real, generated);
        var centres = KMeans.Fit(r, bins, seed);
        Tensor Counts(Tensor rows) => KMeans.Nearest(rows, centres).index.bincount(null!, bins);
        return OfCounts(Counts(r).cpu().data<long>().ToArray(), Counts(g).cpu().data<long>().ToArray(), significance);
    }

    /// <summary>The test on given counts of the two sets in each bin.</summary>
    public static DifferentBinsResult OfCounts(IReadOnlyList<long> first, IReadOnlyList<long> second, double significance = 0.05)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count || first.Count < 1) throw new ArgumentException($"{first.Count} bins in one set, {second.Count} in the other", nameof(second));
        double n = first.Sum(), m = second.Sum(), z = Interval.NormalQuantile(1 - significance);
        if (n == 0 || m == 0) throw new ArgumentException("a set is empty", nameof(second));
        int different = 0;
        double divergence = 0;
        for (int k = 0; k < first.Count; k++)
        {
            double p = first[k] / n, q = second[k] / m, pooled = (first[k] + second[k]) / (n + m);
            double error = Math.Sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
            if (error > 0 && Math.Abs(p - q) / error > z) different++;
            double middle = (p + q) / 2;
            divergence += (p > 0 ? p * Math.Log(p / middle) : 0) / 2 + (q > 0 ? q * Math.Log(q / middle) : 0) / 2;
        }
        return new(different, first.Count, Math.Max(0, divergence));
    }
}
