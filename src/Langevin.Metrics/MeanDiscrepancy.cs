using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Which estimator of the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13).</summary>
public enum DiscrepancyEstimate
{
    /// <summary>Means over all pairs, a pair with itself included: never negative, biased upwards.</summary>
    Biased,

    /// <summary>Within each set a sample is not paired with itself: expectation 0 for equal distributions, may be negative.</summary>
    Unbiased,

    /// <summary>Also between the sets, pair (i, i) is left out; both sets must have one size.</summary>
    UStatistic,
}

/// <summary>The squared maximum mean discrepancy between two sets under a kernel.</summary>
public static class MeanDiscrepancy
{
    /// <summary>E k(x, x′) + E k(y, y′) − 2 E k(x, y), in float64 and by blocks.</summary>
    /// <param name="x">[N, D], N ≥ 2.</param>
    /// <param name="y">[M, D], M ≥ 2.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="estimate">Which estimator.</param>
    public static double Squared(Tensor x, Tensor y, Kernel kernel, DiscrepancyEstimate estimate = DiscrepancyEstimate.Unbiased)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        Require.Matrix(x, 2);
        Require.Matrix(y, 2);
        Require.SameWidth(x, y);
        double n = x.size(0), m = y.size(0);
        if (estimate == DiscrepancyEstimate.UStatistic && n != m)
            throw new ArgumentException($"the U-statistic pairs the sets: {n} and {m} samples differ", nameof(y));
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (a, b) = (x.to(float64), y.to(float64, x.device));
        var (aa, aTrace) = Sum(a, a, kernel);
        var (bb, bTrace) = Sum(b, b, kernel);
        var (ab, abTrace) = Sum(a, b, kernel);
        return estimate switch
        {
            DiscrepancyEstimate.Biased => aa / (n * n) + bb / (m * m) - 2 * ab / (n * m),
            DiscrepancyEstimate.Unbiased => (aa - aTrace) / (n * (n - 1)) + (bb - bTrace) / (m * (m - 1)) - 2 * ab / (n * m),
            _ => (aa - aTrace + bb - bTrace - 2 * (ab - abTrace)) / (n * (n - 1)),
        };
    }

    /// <summary>Σ k(xᵢ, yⱼ) and Σ k(xᵢ, yᵢ).</summary>
    private static (double sum, double trace) Sum(Tensor x, Tensor y, Kernel kernel)
    {
        double sum = 0, trace = 0;
        foreach (var (start, count) in Distances.Blocks(x.size(0), y.size(0)))
        {
            using var scope = NewDisposeScope();
            var gram = kernel.Of(x.narrow(0, start, count), y);
            sum += gram.sum().item<double>();
            if (start < y.size(0)) trace += gram.diagonal(start, 0, 1).sum().item<double>();
        }
        return (sum, trace);
    }
}
