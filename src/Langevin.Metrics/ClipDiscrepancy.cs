using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>
/// CMMD (Jayasumana et al. 2024, arXiv:2401.09603): 1,000 times the biased squared maximum mean discrepancy of unit
/// embeddings (CLIP's image tower in the paper) under a Gaussian kernel of bandwidth 10. Assumes no distribution.
/// </summary>
public static class ClipDiscrepancy
{
    private const double Bandwidth = 10, Scale = 1000;

    /// <summary>The discrepancy of two sets of embeddings, which are scaled to unit length first.</summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[M, D].</param>
    public static double Between(Tensor first, Tensor second)
    {
        Require.Matrix(first, 2);
        Require.Matrix(second, 2);
        using var scope = NewDisposeScope();
        return Scale * MeanDiscrepancy.Squared(Unit(first), Unit(second), new Kernel.Gaussian(Bandwidth), DiscrepancyEstimate.Biased);
    }

    /// <summary>Rows scaled to length 1, float64.</summary>
    internal static Tensor Unit(Tensor rows) => WrappedTensorDisposeScope(() =>
    {
        Require.Finite(rows);
        var x = rows.to(float64);
        var length = x.square().sum(1, keepdim: true).sqrt();
        if (length.min().item<double>() == 0) throw new ArgumentException("an embedding of zeros has no direction", nameof(rows));
        return x / length;
    });
}
