using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Heun's method with Euler's beside it, whose difference E sets the next step, h ← 0.9 h E^(−0.9) (Jolicoeur-Martineau et al. 2021, "Gotta Go
/// Fast", algorithm 1), in the process's own time: on the flow, or on the reverse SDE with as much noise as is asked for. A step is made again
/// where E is above 1. The grid says between which times: each step that is accepted is streamed. A last step to clean data takes the
/// denoiser's x_0: begin it at a small noise level.
/// </summary>
/// <param name="Rtol">Relative tolerance of a step.</param>
/// <param name="Atol">Absolute tolerance of a step, in units of x; 0.0078 is a level of 8-bit pictures in [−1, 1].</param>
/// <param name="Eta">η ≥ 0: 0 for the flow, 1 for the reverse SDE; dx = (flow − ½ η² g² ∇log p) dt + η g dw.</param>
/// <remarks>The worst sample of a batch sets the step, so that a sample depends on its batch within the tolerances.</remarks>
public sealed record AdaptiveHeun(double Rtol = 0.05, double Atol = 0.0078, double Eta = 0) : Sampler
{
    /// <summary>The first step, as a share of the way to the grid's next time.</summary>
    public double FirstStep { get; init; } = 0.01;

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (!(Rtol > 0) || !(Atol >= 0) || !(FirstStep > 0)) throw new ArgumentOutOfRangeException(nameof(Rtol), Rtol, "Tolerances and the first step must be positive.");
        ArgumentOutOfRangeException.ThrowIfNegative(Eta);
        var process = run.Process;
        double width = 0;
        Tensor? before = null; // what Euler's method gave last
        double Noise(double t) => Eta * Math.Sqrt(process.DiffusionSquared(t));
        Tensor Slope(Tensor x, double t)
        {
            var prediction = run.Denoise(x, t);
            return Eta == 0 ? prediction.Velocity : prediction.Velocity - 0.5 * Math.Pow(Noise(t), 2) * prediction.Score;
        }

        return (x, t, s) =>
        {
            if (process.Sigma(s) == 0) return run.Denoise(x, t).X0;
            var slope = Slope(x, t);
            if (width == 0) width = FirstStep * (t - s);
            while (true)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                bool last = width >= t - s;
                double h = last ? t - s : width, reached = last ? s : t - h;
                if (!(reached < t)) throw new InvalidOperationException($"The adaptive solver's step fell to {h:g3} at {t:g6}: does the denoiser give NaN, or are the tolerances below its precision?");
                var noise = Eta > 0 ? Math.Sqrt(h) * run.Noise(x, t, reached) : null;
                Tensor Along(Tensor slope, double at) => noise is null ? x - h * slope : x - h * slope + Noise(at) * noise;
                var euler = Along(slope, t);
                var heun = 0.5 * (euler + Along(Slope(euler, reached), reached));
                double error = RungeKutta45.Norm((euler - heun) / (Rtol * euler.abs().maximum((before ?? x).abs())).clamp_min(Atol));
                double next = 0.9 * h * Math.Pow(double.IsFinite(error) ? Math.Max(error, 1e-8) : 1e8, -0.9);
                // A step cut short by the end of the interval says nothing against the width before it.
                width = last && error <= 1 ? Math.Max(width, next) : next;
                if (!(error <= 1)) continue; // NaN too
                before = run.Keep(euler, instead: before);
                run.Reached = reached;
                return heun.MoveToOuterDisposeScope();
            }
        };
    }
}
