using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// The null-space rectification of DDNM (Wang, Yu and Zhang 2023, equation 13): x̂_0 + A⁺(y − A x̂_0), what the measurement knows taken from it and
/// the rest from the model. A denoiser around a denoiser, for every sampler and operator, without noise; it ends at A x = y.
/// </summary>
/// <param name="inner">The denoiser.</param>
/// <param name="measurement">What is known; its noise is not considered.</param>
public sealed class RangeConsistency(IDenoiser inner, Measurement measurement) : IDenoiser
{
    /// <inheritdoc/>
    public GaussianProcess Process => inner.Process;

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var said = inner.Denoise(x, t, condition);
        return said.WithX0(measurement.Project(said.X0));
    }
}

/// <summary>
/// DDNM and DDNM+ (Wang, Yu and Zhang 2023): DDIM steps with x̂_0 + A⁺ Λ (y − A x̂_0). Λ and the fresh noise share out the noise of each singular
/// direction, so that what A⁺ makes of σ_y n is part of the noise a sample has at that time (section 3.3).
/// </summary>
/// <param name="Measurement">What is known. Without noise any operator will do (DDNM); with noise it needs a decomposition (DDNM+).</param>
/// <param name="Eta">η of the step; 1 is ancestral.</param>
public sealed record Ddnm(Measurement Measurement, double Eta = 0.85) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var said = run.Denoise(x, t);
        var (kept, fresh) = Ddim.Split(run.Process, t, s, Eta);
        if (Measurement.Sigma == 0) return Dps.DdimStep(run, said.WithX0(Measurement.Project(said.X0)), Eta, s);

        // x_s = c x̂_0 + (kept/σ_t) x_t + fresh z, where x̂_0 carries noise of σ_y Λ/s_i along singular direction i.
        double alpha = run.Process.Alpha(t), sigma = run.Process.Sigma(t), c = run.Process.Alpha(s) - kept * alpha / sigma;
        var a = Measurement.Spectral;
        var singular = a.SingularValues(x);
        var share = (fresh * singular / (c * Measurement.Sigma)).clamp_max(1);
        // share is 0 wherever s_i is, but where σ_y is far smaller than both.
        var carried = where(singular > 0, c * Measurement.Sigma * share / singular.clamp_min(1e-30), zeros_like(singular));
        var inverse = where(singular > 0, share / singular.clamp_min(1e-30), zeros_like(singular));
        var x0 = said.X0 + a.V(inverse * a.Ut(Measurement.Residual(said.X0)));
        var next = c * x0 + kept / sigma * x;
        return fresh > 0 ? next + a.V((fresh * fresh - carried.square()).clamp_min(0).sqrt() * a.Vt(run.Noise(x))) : next;
    };
}
