using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// DiffPIR (Zhu et al. 2023, algorithm 1): half-quadratic splitting. x̂_0 moves to the minimum of ‖y − A z‖² + ρ_t ‖z − x̂_0‖² with
/// ρ_t = λ σ_y² α²/σ², and the noise of the next sample is part the implied one, part fresh. For linear operators.
/// </summary>
/// <param name="Measurement">What is known. Without noise the proximal step is DDNM's projection.</param>
/// <param name="Lambda">λ: weight of the model against the measurement.</param>
/// <param name="Zeta">ζ in [0, 1]: the share of fresh noise, by variance.</param>
public sealed record DiffPir(Measurement Measurement, double Lambda = 1, double Zeta = 0.3) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Zeta is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Zeta), Zeta, "The share of fresh noise lies in [0, 1].");
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            double ridge = Lambda * Math.Pow(Measurement.Sigma * run.Process.Alpha(t) / run.Process.Sigma(t), 2), sigma = run.Process.Sigma(s);
            var moved = said.WithX0(Measurement.Proximal(said.X0, ridge));
            var next = run.Process.Alpha(s) * moved.X0 + sigma * Math.Sqrt(1 - Zeta) * moved.Epsilon;
            return sigma > 0 && Zeta > 0 ? next + sigma * Math.Sqrt(Zeta) * run.Noise(x) : next;
        };
    }
}
