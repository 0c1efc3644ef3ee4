using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>
/// The Fréchet distance (squared 2-Wasserstein) between the Gaussians fitted to two sets of features; FID when the
/// features are those of the Inception network (Heusel et al. 2017, arXiv:1706.08500).
/// </summary>
/// <remarks>
/// d² = |m₁ − m₂|² + tr(S₁ + S₂ − 2 (S₁^½ S₂ S₁^½)^½). With Sᵢ = AᵢAᵢᵀ the last trace is the nuclear norm of A₁ᵀA₂, which
/// never takes the root of a rounding error, so sets with fewer samples than features are right too.
/// The estimate is biased upwards by about 1/N: compare only at equal sample counts.
/// </remarks>
public static class FrechetDistance
{
    /// <summary>Distance between two gathered sets.</summary>
    /// <returns>At least 0.</returns>
    public static double Between(FeatureStatistics first, FeatureStatistics second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        using var scope = NewDisposeScope();
        return Between(first.Mean(), first.Covariance(), second.Mean(), second.Covariance());
    }

    /// <summary>Distance between two matrices of features, [N, D] and [M, D], each of at least two rows.</summary>
    public static double Between(Tensor first, Tensor second)
    {
        Require.Matrix(first, 2);
        Require.Matrix(second, 2);
        Require.SameWidth(first, second);
        using var a = FeatureStatistics.Of(first);
        using var b = FeatureStatistics.Of(second);
        return Between(a, b);
    }

    /// <summary>Distance between two Gaussians.</summary>
    /// <param name="mean1">[D].</param>
    /// <param name="covariance1">[D, D], symmetric, positive semi-definite.</param>
    /// <param name="mean2">[D].</param>
    /// <param name="covariance2">[D, D], symmetric, positive semi-definite.</param>
    public static double Between(Tensor mean1, Tensor covariance1, Tensor mean2, Tensor covariance2)
    {
        Check(mean1, covariance1);
        Check(mean2, covariance2);
        Require.SameShape(mean1, mean2);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var device = mean1.device;
        var (m1, s1, m2, s2) = (mean1.to(float64), covariance1.to(float64), mean2.to(float64, device), covariance2.to(float64, device));
        var cross = linalg.svdvals(Root(s1).t().mm(Root(s2))).sum();
        var distance = (m1 - m2).square().sum() + s1.trace() + s2.trace() - 2 * cross;
        return Math.Max(0, distance.item<double>());
    }

    /// <summary>A with S = AAᵀ, [D, r], r the numerical rank of S.</summary>
    internal static Tensor Root(Tensor covariance)
    {
        var (values, vectors) = linalg.eigh(covariance);
        double floor = double.Epsilon + values[-1].item<double>() * covariance.size(0) * Math.ScaleB(1, -52);
        long rank = values.gt(floor).sum().item<long>();
        return rank == 0
            ? zeros_like(covariance).narrow(1, 0, 1)
            : vectors.narrow(1, -rank, rank) * values.narrow(0, -rank, rank).sqrt();
    }

    private static void Check(Tensor mean, Tensor covariance)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(covariance);
        if (mean.dim() != 1 || covariance.dim() != 2 || covariance.size(0) != mean.size(0) || covariance.size(1) != mean.size(0))
            throw new ArgumentException($"expected a mean [D] and a covariance [D, D], got {Require.Shape(mean)} and {Require.Shape(covariance)}", nameof(covariance));
        Require.Finite(mean);
        Require.Finite(covariance);
    }
}
