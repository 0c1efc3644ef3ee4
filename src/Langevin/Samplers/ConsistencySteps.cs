using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>
/// Multistep sampling of a latent consistency model (Luo et al. 2023): c_skip x + c_out x̂_0 is taken for clean data, and noise of
/// the next level is added. The last step stays clean.
/// </summary>
/// <param name="SigmaData">σ_d of the boundary condition.</param>
/// <param name="TimeScale">What the time is multiplied by in the boundary condition.</param>
public sealed record LatentConsistency(double SigmaData = 0.5, double TimeScale = 10) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var process = run.Process;
        double u = t * TimeScale, norm = Math.Sqrt(u * u + SigmaData * SigmaData);
        var clean = u / norm * run.Denoise(x, t).X0 + Math.Pow(SigmaData / norm, 2) * x;
        return run.IsLast ? clean : process.Alpha(s) * clean + process.Sigma(s) * run.Noise(x);
    };
}

/// <summary>
/// Strategic stochastic sampling of a trajectory consistency model (Zheng et al. 2024, algorithm 4): from t straight to
/// s' = ⌊(1 − γ) s⌋ by x̂_0 and ε̂, then back up to s with noise. The last step draws none.
/// </summary>
/// <param name="Gamma">γ in [0, 1]: 0 is deterministic.</param>
public sealed record TrajectoryConsistency(double Gamma = 0.3) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Gamma is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Gamma), Gamma, "γ lies in [0, 1].");
        return (x, t, s) =>
        {
            var process = run.Process;
            var said = run.Denoise(x, t);
            double low = Below(process, s);
            var there = process.Alpha(low) * said.X0 + process.Sigma(low) * said.Epsilon;
            if (Gamma == 0 || run.IsLast) return there;
            var (scale, variance) = process.Transition(low, s);
            return scale * there + Math.Sqrt(variance) * run.Noise(x);
        };
    }

    private double Below(GaussianProcess process, double s)
    {
        double low = (1 - Gamma) * s;
        return process.StepCount is null ? low : Math.Floor(low);
    }
}
