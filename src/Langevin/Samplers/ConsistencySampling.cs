namespace Langevin.Samplers;

/// <summary>
/// Multistep consistency sampling (Song et al. 2023, algorithm 1): the model's x̂_0 is the sample, and fresh noise brings it to the next
/// time. One step to clean data is one-step generation. For consistency models and those distilled like them.
/// </summary>
/// <param name="Floor">
/// The ratio σ/α that the model's x̂_0 still carries, ε there: noise is added up to the next level from this one. 0 for models that
/// return clean data.
/// </param>
/// <param name="NoiseStd">Standard deviation of the fresh noise, 1 where the process is to be followed.</param>
public sealed record ConsistencySampling(double Floor = 0, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var x0 = run.Denoise(x, t).X0;
        double alpha = run.Process.Alpha(s), sigma = run.Process.Sigma(s), floor = Floor * alpha;
        return sigma > floor ? alpha * x0 + NoiseStd * Math.Sqrt((sigma - floor) * (sigma + floor)) * run.Noise(x) : alpha * x0;
    };
}
