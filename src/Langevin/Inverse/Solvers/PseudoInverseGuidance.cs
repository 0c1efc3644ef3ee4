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
/// <param name="Inner">The denoiser; gradients are taken through it.</param>
/// <param name="Measurement">What is known.</param>
/// <param name="DataStd">Standard deviation of the data, &gt; 0, which sets r_t² = std²σ²/(α²std² + σ²); 1 as published.</param>
/// <param name="Scale">The measurement's score is multiplied by this; 1 is Bayes' rule.</param>
/// <param name="Trust">
/// The largest σ/(α std) at which the denoiser's own gradient is used. Beyond it a network's is mostly error, divided by a small α; that of
/// Gaussian data, α r_t²/σ², stands in its place.
/// </param>
public sealed record PseudoInverseGuidance(IDenoiser Inner, Measurement Measurement, double DataStd = 1, double Scale = 1, double Trust = 40) : DenoiserDecorator(Inner)
{
    /// <summary>Standard deviation of the data.</summary>
    public double DataStd { get; } = DataStd > 0 ? DataStd : throw new ArgumentOutOfRangeException(nameof(DataStd), DataStd, "The standard deviation of the data must be positive.");

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        double alpha = Process.Alpha(t.Value), sigma = Process.Sigma(t.Value);
        if (sigma == 0) return Inner.Denoise(x, t, condition); // data need no guidance
        double variance = Math.Pow(DataStd * sigma, 2) / (Math.Pow(alpha * DataStd, 2) + sigma * sigma);
        if (sigma > Trust * DataStd * alpha)
        {
            var plain = Inner.Denoise(x, t, condition);
            return plain.WithX0(plain.X0 + Scale * Pull(plain.X0, variance));
        }
        var (said, pulled) = Gradient.Of(u => Inner.Denoise(u, t, condition), x, x0 => Pull(x0, variance));
        return said.WithX0(said.X0 + Scale * sigma * sigma / (alpha * variance) * pulled);
    }

    // r_t² Aᵀ (r_t² A Aᵀ + σ_y² I)⁻¹ (y − A x̂_0).
    private Tensor Pull(Tensor x0, double variance) => Measurement.Operator is LinearOperator a
        ? a.RidgeInverse(Measurement.Residual(x0), Math.Pow(Measurement.Sigma, 2) / variance)
        : Measurement.Project(x0) - x0;
}
