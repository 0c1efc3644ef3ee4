using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>
/// One side of many Fréchet distances, prepared once: with S₁ = AAᵀ the last trace is Σ √λ(AᵀS₂A), which costs one
/// eigenvalue problem for each other set instead of three decompositions.
/// </summary>
/// <remarks>
/// A root of an eigenvalue's rounding error is about 1e-8 of the largest one: right for resampling; where sets have fewer
/// samples than features, <see cref="FrechetDistance"/> keeps more digits.
/// </remarks>
public sealed class FrechetReference : IDisposable
{
    private readonly Tensor mean, root;
    private readonly double trace;

    /// <summary>Prepares gathered statistics of at least two rows.</summary>
    public FrechetReference(FeatureStatistics reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var covariance = reference.Covariance();
        trace = covariance.trace().item<double>();
        mean = reference.Mean().DetachFromDisposeScope();
        root = FrechetDistance.Root(covariance).contiguous().DetachFromDisposeScope();
    }

    /// <summary>Distance to another set.</summary>
    /// <returns>At least 0.</returns>
    public double To(FeatureStatistics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Dimension != mean.size(0)) throw new ArgumentException($"{other.Dimension} features where the reference has {mean.size(0)}", nameof(other));
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (m, s) = (other.Mean().to(mean.device), other.Covariance().to(mean.device));
        var product = root.t().mm(s).mm(root);
        var cross = linalg.eigvalsh((product + product.t()) / 2).clamp_min(0).sqrt().sum();
        return Math.Max(0, ((mean - m).square().sum() - 2 * cross).item<double>() + trace + s.trace().item<double>());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mean.Dispose();
        root.Dispose();
    }
}
