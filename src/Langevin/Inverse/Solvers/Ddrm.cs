using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Denoising diffusion restoration (Kawar et al. 2022, equations 7 and 8): each singular direction of the operator is sampled by itself, from the
/// measurement where it is less noisy than the sample, else from the model.
/// </summary>
/// <param name="Measurement">What is known, of an operator with a decomposition.</param>
/// <param name="Eta">η: the share of fresh noise where the measurement says nothing, or less than the sample.</param>
/// <param name="EtaB">η_b: how far the sample moves to the measurement where that says more.</param>
public sealed record Ddrm(Measurement Measurement, double Eta = 0.85, double EtaB = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var a = Measurement.Spectral;
        return (x, t, s) =>
        {
            var singular = a.SingularValues(x);
            var measured = singular > 0;
            var inverse = where(measured, 1 / singular.clamp_min(1e-30), zeros_like(singular));
            var seen = inverse * a.Ut(Measurement.Y);           // ȳ
            var noise = Measurement.Sigma * inverse;            // its standard deviation σ_y/s_i
            if (run.Index == 0) x = Start(run, a, x, t, measured, seen, noise);
            var said = run.Denoise(x, t);
            double alpha = run.Process.Alpha(s), sigma = run.Process.Sigma(s), correlated = Math.Sqrt(1 - Eta * Eta) * sigma;
            Tensor x0 = a.Vt(said.X0), epsilon = a.Vt(said.Epsilon), z = a.Vt(sigma > 0 ? run.Noise(x) : zeros_like(x));
            var unseen = alpha * x0 + correlated * epsilon + Eta * sigma * z;
            var noisier = alpha * x0 + correlated * (seen - x0) / noise.clamp_min(1e-30) + Eta * sigma * z;
            var clearer = alpha * ((1 - EtaB) * x0 + EtaB * seen) + (sigma * sigma - (alpha * EtaB * noise).square()).clamp_min(0).sqrt() * z;
            return a.V(where(measured, where(alpha * noise <= sigma, clearer, noisier), unseen));
        };
    }

    // Where the measurement says more than pure noise, the sample starts around it.
    private static Tensor Start(SamplingRun run, SpectralOperator a, Tensor x, double t, Tensor measured, Tensor seen, Tensor noise)
    {
        double alpha = run.Process.Alpha(t), sigma = run.Process.Sigma(t);
        var spectrum = a.Vt(x);
        var around = alpha * seen + (sigma * sigma - (alpha * noise).square()).clamp_min(0).sqrt() / sigma * spectrum;
        return a.V(where(measured & (alpha * noise <= sigma), around, spectrum));
    }
}
