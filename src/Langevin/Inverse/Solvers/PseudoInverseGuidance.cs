using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// ΠGDM (Song et al. 2023): p(x_0 | x_t) is taken as N(x̂_0, r_t² I), so that the measurement's score is
/// (∂x̂_0/∂x_t)ᵀ Aᵀ (r_t² A Aᵀ + σ_y² I)⁻¹ (y − A x̂_0). A denoiser around a denoiser, for every sampler: exact where the data are one
/// Gaussian N(m, std² I).
/// </summary>
/// <remarks>An operator that is not linear is taken without noise, with its decoder for A⁺, as the paper does for JPEG.</remarks>
public sealed class PseudoInverseGuidance : IDenoiser
{
    private readonly IDenoiser inner;
    private readonly Measurement measurement;
    private readonly double dataStd, scale, trust;

    /// <summary>Guides a denoiser.</summary>
    /// <param name="inner">The denoiser; gradients are taken through it.</param>
    /// <param name="measurement">What is known.</param>
    /// <param name="dataStd">Standard deviation of the data, which sets r_t² = std²σ²/(α²std² + σ²); 1 as published.</param>
    /// <param name="scale">The measurement's score is multiplied by this; 1 is Bayes' rule.</param>
    /// <param name="trust">
    /// The largest σ/(α std) at which the denoiser's own gradient is used. Beyond it a network's is mostly error, divided by a small α; that of
    /// Gaussian data, α r_t²/σ², stands in its place.
    /// </param>
    public PseudoInverseGuidance(IDenoiser inner, Measurement measurement, double dataStd = 1, double scale = 1, double trust = 40)
    {
        if (!(dataStd > 0)) throw new ArgumentOutOfRangeException(nameof(dataStd), dataStd, "The standard deviation of the data must be positive.");
        (this.inner, this.measurement, this.dataStd, this.scale, this.trust) = (inner, measurement, dataStd, scale, trust);
    }

    /// <inheritdoc/>
    public GaussianProcess Process => inner.Process;

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        double alpha = Process.Alpha(t.Value), sigma = Process.Sigma(t.Value);
        if (sigma == 0) return inner.Denoise(x, t, condition); // data need no guidance
        double variance = Math.Pow(dataStd * sigma, 2) / (Math.Pow(alpha * dataStd, 2) + sigma * sigma);
        if (sigma > trust * dataStd * alpha)
        {
            var plain = inner.Denoise(x, t, condition);
            return plain.WithX0(plain.X0 + scale * Pull(plain.X0, variance));
        }
        var (said, pulled) = Gradient.Of(u => inner.Denoise(u, t, condition), x, x0 => Pull(x0, variance));
        return said.WithX0(said.X0 + scale * sigma * sigma / (alpha * variance) * pulled);
    }

    // r_t² Aᵀ (r_t² A Aᵀ + σ_y² I)⁻¹ (y − A x̂_0).
    private Tensor Pull(Tensor x0, double variance) => measurement.Operator is LinearOperator a
        ? a.RidgeInverse(measurement.Residual(x0), Math.Pow(measurement.Sigma, 2) / variance)
        : measurement.Project(x0) - x0;
}
