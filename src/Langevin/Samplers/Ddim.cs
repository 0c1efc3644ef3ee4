using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DDIM (Song et al. 2021, equation 12) on any linear-Gaussian process: deterministic at η = 0, ancestral at η = 1. In the ratio
/// σ/α it is Euler's method, and "Euler ancestral" where η &gt; 0.
/// </summary>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh.</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise (k-diffusion's s_noise), 1 where the process is to be followed.</param>
public sealed record Ddim(double Eta = 0, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) => Draw(run, run.Denoise(x, t), t, s, Eta, NoiseStd);

    /// <summary>x_s from a prediction at time t, with the noise of the stretch between them.</summary>
    internal static Tensor Draw(SamplingRun run, Prediction prediction, double t, double s, double eta, double noise = 1)
    {
        var (kept, fresh) = Split(run.Process, t, s, eta);
        var next = run.Process.Alpha(s) * prediction.X0 + kept * prediction.Epsilon;
        return fresh > 0 ? next + noise * fresh * run.Noise(next, t, s) : next;
    }

    /// <summary>The noise of x_s, σ_s² = kept² + fresh²: what is kept of the predicted ε, and what is drawn afresh.</summary>
    /// <param name="process">The process.</param>
    /// <param name="t">Where the step begins.</param>
    /// <param name="s">Where it ends.</param>
    /// <param name="eta">η; the fresh part is never more than the whole.</param>
    public static (double Kept, double Fresh) Split(GaussianProcess process, double t, double s, double eta)
    {
        double sigma = process.Sigma(s), fresh = eta > 0 ? Math.Min(sigma, eta * Math.Sqrt(process.Posterior(s, t).Variance)) : 0;
        return (Math.Sqrt((sigma - fresh) * (sigma + fresh)), fresh);
    }
}
