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
