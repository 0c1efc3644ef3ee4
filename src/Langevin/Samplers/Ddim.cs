using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DDIM (Song et al. 2021, equation 12) on any linear-Gaussian process: deterministic at η = 0, ancestral at η = 1.
/// </summary>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh.</param>
public sealed record Ddim(double Eta = 0) : Sampler
{
    /// <inheritdoc/>
    protected internal override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var process = run.Process;
        var prediction = run.Denoise(x, t);
        double sigma = process.Sigma(s), fresh = Eta > 0 ? Eta * Math.Sqrt(process.Posterior(s, t).Variance) : 0;
        var next = process.Alpha(s) * prediction.X0 + Math.Sqrt(Math.Max(0, sigma * sigma - fresh * fresh)) * prediction.Epsilon;
        return fresh > 0 ? next + fresh * run.Noise(x) : next;
    };
}
