using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// DPM-Solver++(2S) (Lu et al. 2022b, algorithm 1, with r = ½), and its ancestral form at η &gt; 0 (k-diffusion's "DPM++ 2S a"): two
/// evaluations a step, of second order at η = 0.
/// </summary>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh.</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise (s_noise).</param>
public sealed record DpmPlusPlus2S(double Eta = 0, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var (process, path) = (run.Process, FlowCoordinates.Ratio);
        return (x, t, s) =>
        {
            var first = run.Denoise(x, t);
            var (kept, fresh) = Ddim.Split(process, t, s, Eta);
            if (kept == 0 || process.Alpha(t) == 0) return Ddim.Draw(run, first, t, s, Eta, NoiseStd);
            // With x̂_0 held, x/α moves in proportion to σ/α: e^(−h) is the quotient of the ratios.
            double from = path.Of(process, t), to = kept / process.Alpha(s), between = Math.Sqrt(from * to), middle = path.TimeOf(process, between);
            var y = x / process.Alpha(t);
            var second = run.Denoise(process.Alpha(middle) * first.X0.lerp(y, between / from), middle);
            var next = process.Alpha(s) * second.X0.lerp(y, to / from);
            return fresh > 0 ? next + NoiseStd * fresh * run.Noise(x, t, s) : next;
        };
    }
}
