using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// The null-space rectification of DDNM (Wang, Yu and Zhang 2023, equation 13): x̂_0 + A⁺(y − A x̂_0), what the measurement knows taken from it and
/// the rest from the model. A denoiser around a denoiser, for every sampler and operator, without noise; it ends at A x = y.
/// </summary>
/// <param name="Inner">The denoiser.</param>
/// <param name="Measurement">What is known; its noise is not considered.</param>
public sealed record RangeConsistency(IDenoiser Inner, Measurement Measurement) : DenoiserDecorator(Inner)
{
    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = Inner.Denoise(x, t, condition);
        return said.WithX0(Measurement.Project(said.X0));
    }
}

/// <summary>
/// DDNM and DDNM+ (Wang, Yu and Zhang 2023): steps with x̂_0 + A⁺ Λ (y − A x̂_0). With noise, what A⁺ makes of σ_y n is part of the noise that a
/// sample has at that time: along each singular direction Λ keeps it within, and the noise added is the rest (section 3.3). As in the published code
/// ε̂ stays as predicted, and the whole noise of a level is shared out.
/// </summary>
/// <param name="Measurement">What is known. Without noise any operator will do (DDNM); with noise it needs a decomposition (DDNM+).</param>
/// <param name="Eta">η of the DDIM step without noise, where 1 is ancestral; with noise the share of fresh noise, as in <see cref="Ddrm"/>.</param>
public sealed record Ddnm(Measurement Measurement, double Eta = 0.85) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var said = run.Denoise(x, t);
        if (Measurement.Sigma == 0) return Dps.DdimStep(run, said.WithX0(Measurement.Project(said.X0), keepEpsilon: true), Eta, s);

        var a = Measurement.Spectral;
        double alpha = run.Process.Alpha(s), sigma = run.Process.Sigma(s);
        var singular = a.SingularValues(x);
        var inverse = where(singular > 0, 1 / singular.clamp_min(1e-30), zeros_like(singular));
        // x_s = α x̂_0 + rest, where x̂_0 carries noise of standard deviation σ_y Λ/s_i along singular direction i.
        var share = (sigma * singular / (alpha * Measurement.Sigma)).clamp_max(1);
        var rest = (sigma * sigma - (alpha * Measurement.Sigma * share * inverse).square()).clamp_min(0).sqrt();
        var next = alpha * (said.X0 + a.V(share * inverse * a.Ut(Measurement.Residual(said.X0))));
        return sigma > 0 ? next + a.V(rest * a.Vt(Math.Sqrt(1 - Eta * Eta) * said.Epsilon + Eta * run.Noise(x))) : next;
    };
}
