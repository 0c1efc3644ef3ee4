using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// k-diffusion's "DPM++ SDE": a second-order exponential integrator of the reverse SDE in x̂_0, with ancestral noise in its inner
/// step too. Two evaluations a step. With <see cref="BrownianNoise"/> both draws belong to one path.
/// </summary>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh; 0 is DPM-Solver++(2S).</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise (s_noise).</param>
/// <param name="R">Where the inner step ends, as a share in (0, 1] of the step in λ = log(α/σ).</param>
public sealed record DpmPlusPlusSde(double Eta = 1, double NoiseStd = 1, double R = 0.5) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (!(R is > 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(R), R, "The inner step ends at a share of the step in (0, 1].");
        var process = run.Process;
        return (x, t, s) =>
        {
            var first = run.Denoise(x, t);
            if (process.Sigma(s) == 0 || process.Alpha(t) == 0) return Ddim.Draw(run, first, t, s, Eta, NoiseStd);
            double middle = R == 1 ? s : process.TimeOfLambda(process.Lambda(t) + R * (process.Lambda(s) - process.Lambda(t)));
            var second = run.Denoise(Ddim.Draw(run, first, t, middle, Eta, NoiseStd), middle);
            var x0 = first.X0.lerp(second.X0, 0.5 / R);
            var (kept, fresh) = Ddim.Split(process, t, s, Eta);
            double slope = kept / process.Sigma(t);
            var next = slope * x + (process.Alpha(s) - slope * process.Alpha(t)) * x0;
            return fresh > 0 ? next + NoiseStd * fresh * run.Noise(x, t, s) : next;
        };
    }
}
