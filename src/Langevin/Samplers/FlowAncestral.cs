namespace Langevin.Samplers;

/// <summary>
/// Euler with ancestral noise for flow matching (the rectified-flow form that LTX-Video samples with): the flow is followed down to a
/// level below the step's end, and noise is added up to it. With the levels u = σ/(α + σ) of the straight path that is
/// u↓ = u_s (1 + η (u_s/u_t − 1)); the straight path of any process is meant.
/// </summary>
/// <param name="Eta">η in [0, 1]: 0 is the flow.</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise, 1 where the process is to be followed.</param>
public sealed record FlowAncestral(double Eta = 1, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Eta is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Eta), Eta, "η lies in [0, 1].");
        var process = run.Process;
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            double alpha = process.Alpha(s), sigma = process.Sigma(s), down = Level(s) * (1 + Eta * (Level(s) / Level(t) - 1));
            double kept = Eta == 0 ? sigma : Math.Min(sigma, alpha * down / (1 - down)), fresh = Math.Sqrt((sigma - kept) * (sigma + kept));
            var next = alpha * said.X0 + kept * said.Epsilon;
            return fresh > 0 ? next + NoiseStd * fresh * run.Noise(next, t, s) : next;
        };

        double Level(double t) => process.Sigma(t) / (process.Alpha(t) + process.Sigma(t));
    }
}
