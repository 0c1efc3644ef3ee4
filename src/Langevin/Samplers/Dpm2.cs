using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// k-diffusion's DPM2: the midpoint method on d(x/α)/d(σ/α) = ε̂ with the midpoint taken in log(σ/α), as DPM-Solver-2 takes it;
/// with η &gt; 0 "DPM2 ancestral". Two evaluations a step, of second order at η = 0.
/// </summary>
/// <param name="Eta">η ≥ 0, the share of the posterior's standard deviation that is drawn afresh; 1 is ancestral.</param>
/// <param name="Churn">Noise added before each step.</param>
/// <param name="NoiseStd">Standard deviation of the fresh noise (s_noise).</param>
public sealed record Dpm2(double Eta = 0, Churn? Churn = null, double NoiseStd = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var (process, path) = (run.Process, FlowCoordinates.Ratio);
        return (x, t, s) =>
        {
            if (Churn is { } churn) (x, t) = churn.Raise(run, x, t);
            var first = run.Denoise(x, t);
            var (kept, fresh) = Ddim.Split(process, t, s, Eta);
            // To clean data, and out of pure noise, where log σ/α is infinite, the step is of first order.
            if (kept == 0 || process.Alpha(t) == 0) return Ddim.Draw(run, first, t, s, Eta, NoiseStd);
            double from = path.Of(process, t), to = kept / process.Alpha(s), middle = Middle(process, t, s, Eta), between = Math.Sqrt(from * to);
            var y = x / process.Alpha(t);
            var second = run.Denoise(process.Alpha(middle) * (y + (between - from) * first.Epsilon), middle);
            var next = process.Alpha(s) * (y + (to - from) * second.Epsilon);
            return fresh > 0 ? next + NoiseStd * fresh * run.Noise(x, t, s) : next;
        };
    }

    /// <summary>The time of the second evaluation of a step; its ratio σ/α is the geometric mean of the ends of the ODE's part.</summary>
    /// <param name="process">The process.</param>
    /// <param name="t">Where the step begins.</param>
    /// <param name="s">Where it ends, above clean data.</param>
    /// <param name="eta">η.</param>
    public static double Middle(GaussianProcess process, double t, double s, double eta = 0)
    {
        var path = FlowCoordinates.Ratio;
        return path.TimeOf(process, Math.Sqrt(path.Of(process, t) * (Ddim.Split(process, t, s, eta).Kept / process.Alpha(s))));
    }
}
