using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>
/// The Vendi score (Friedman and Dieng 2023, arXiv:2210.02410): how many different samples a set is worth. exp of the
/// Rényi entropy of the eigenvalues of K/N for a kernel with k(x, x) = 1: 1 where all samples are alike, N where no two are.
/// </summary>
public static class VendiScore
{
    /// <summary>The score under the cosine kernel x·y / |x||y|.</summary>
    /// <param name="features">[N, D], no row zero.</param>
    /// <param name="order">Order q of the entropy, positive; 1 is Shannon's, larger ones count rare modes less (Pasarkar and Dieng 2024).</param>
    public static double Of(Tensor features, double order = 1)
    {
        Require.Matrix(features);
        Require.Finite(features);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var x = features.to(float64);
        var length = x.square().sum(1, keepdim: true).sqrt();
        if (length.min().item<double>() == 0) throw new ArgumentException("a row of zeros has no direction: the cosine kernel needs every |x| > 0", nameof(features));
        var rows = x / length;
        // XXᵀ and XᵀX have the same non-zero eigenvalues: the smaller one will do.
        var gram = rows.size(0) <= rows.size(1) ? rows.mm(rows.t()) : rows.t().mm(rows);
        return Diversity(gram / rows.size(0), order);
    }

    /// <summary>The score under a kernel with k(x, x) = 1.</summary>
    /// <param name="features">[N, D].</param>
    /// <param name="kernel">A normalised kernel, such as <see cref="Kernel.Gaussian"/>.</param>
    /// <param name="order">Order q of the entropy, positive.</param>
    public static double Of(Tensor features, Kernel kernel, double order = 1)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        Require.Matrix(features);
        Require.Finite(features);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var x = features.to(float64);
        var gram = kernel.Of(x, x);
        if ((gram.diagonal(0, 0, 1) - 1).abs().max().item<double>() > 1e-6)
            throw new ArgumentException($"{kernel} does not give k(x, x) = 1 for every sample", nameof(kernel));
        return Diversity(gram / x.size(0), order);
    }

    private static double Diversity(Tensor density, double order)
    {
        if (!(order > 0)) throw new ArgumentOutOfRangeException(nameof(order), order, "must be positive");
        var p = linalg.eigvalsh(density);
        p = p.masked_select(p.gt(1e-14));
        double entropy = order == 1 ? -(p * p.log()).sum().item<double>()
            : double.IsPositiveInfinity(order) ? -Math.Log(p.max().item<double>())
            : Math.Log(p.pow(order).sum().item<double>()) / (1 - order);
        return Math.Exp(entropy);
    }
}
