using static TorchSharp.torch;

namespace Langevin.Metrics.Distributions;

/// <summary>Distances between two samples of distributions, of any sizes.</summary>
public static class TwoSample
{
    /// <summary>
    /// Squared energy distance 2 E|X − Y| − E|X − X′| − E|Y − Y′|, pairs of a sample with itself included (Székely and
    /// Rizzo 2013, JSPI 143): 0 only for equal samples. Its root is the energy distance.
    /// </summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D].</param>
    public static double EnergySquared(Tensor x, Tensor y)
    {
        Require.Matrix(x);
        Require.Matrix(y);
        Require.SameWidth(x, y);
        using var scope = NewDisposeScope();
        var (a, b) = Distances.Centred(x, y);
        return Math.Max(0, 2 * MeanDistance(a, b) - MeanDistance(a, a) - MeanDistance(b, b));
    }

    /// <summary>1-Wasserstein distance ∫|F − G| of each column, [D].</summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D].</param>
    public static Tensor Wasserstein1(Tensor x, Tensor y) => WrappedTensorDisposeScope(() =>
    {
        if (y.dim() == 2 && x.dim() == 2 && x.size(0) > 0 && y.size(0) > 0 && (x.size(0) % y.size(0) == 0 || y.size(0) % x.size(0) == 0))
        {
            // One size divides the other: ∫|F⁻¹ − G⁻¹|, each smaller sample's value against a run of the larger's.
            Require.SameWidth(x, y);
            var (a, b) = (Sorted(x), Sorted(y));
            long runs = Math.Min(a.size(1), b.size(1));
            return (a.view(a.size(0), runs, -1) - b.view(b.size(0), runs, -1)).abs().mean([1, 2]);
        }
        var (values, f, g) = Cumulative(x, y);
        return ((f - g).abs().narrow(1, 0, values.size(1) - 1) * values.diff(1, 1)).sum([1]);
    });

    /// <summary>Mean 1-Wasserstein distance of the projections on given unit directions (Bonneel et al. 2015, JMIV 51).</summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D].</param>
    /// <param name="directions">[S, D].</param>
    public static double SlicedWasserstein1(Tensor x, Tensor y, Tensor directions)
    {
        Require.Matrix(x);
        Require.Matrix(y);
        Require.Matrix(directions);
        Require.SameWidth(x, y);
        Require.SameWidth(x, directions);
        using var scope = NewDisposeScope();
        var d = directions.to(float64).t();
        return Wasserstein1(x.to(float64).mm(d), y.to(float64).mm(d)).mean().item<double>();
    }

    /// <summary>The same on random directions.</summary>
    public static double SlicedWasserstein1(Tensor x, Tensor y, int directions = 128, long seed = 0)
    {
        Require.Matrix(x);
        using var d = Directions(x.size(1), directions, seed);
        return SlicedWasserstein1(x, y, d);
    }

    /// <summary>Random unit vectors [S, D].</summary>
    internal static Tensor Directions(long dimension, int count, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)seed);
        var d = randn([count, dimension], float64, generator: random);
        return (d / d.square().sum(1, keepdim: true).sqrt()).MoveToOuterDisposeScope();
    }

    /// <summary>Kolmogorov–Smirnov statistic max |F − G| of each column, [D].</summary>
    /// <param name="x">[N, D].</param>
    /// <param name="y">[M, D].</param>
    public static Tensor KolmogorovSmirnov(Tensor x, Tensor y) => WrappedTensorDisposeScope(() =>
    {
        var (_, f, g) = Cumulative(x, y);
        return (f - g).abs().amax([1]);
    });

    private static Tensor Sorted(Tensor t)
    {
        Require.Finite(t);
        return t.to(float64).t().contiguous().sort(1).Values;
    }

    /// <summary>All values sorted, and both empirical distribution functions there, each [D, N + M].</summary>
    private static (Tensor values, Tensor f, Tensor g) Cumulative(Tensor x, Tensor y)
    {
        Require.Matrix(x);
        Require.Matrix(y);
        Require.SameWidth(x, y);
        var (a, b) = (Sorted(x), Sorted(y));
        var values = cat([a, b], 1).sort(1).Values;
        Tensor Share(Tensor sorted) => searchsorted(sorted, values, right: true).to(float64) / sorted.size(1);
        return (values, Share(a), Share(b));
    }

    private static double MeanDistance(Tensor x, Tensor y)
    {
        double sum = 0;
        foreach (var (start, count) in Distances.Blocks(x.size(0), y.size(0)))
        {
            using var block = NewDisposeScope();
            sum += cdist(x.narrow(0, start, count), y, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist).sum().item<double>();
        }
        return sum / ((double)x.size(0) * y.size(0));
    }
}
