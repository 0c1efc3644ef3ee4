using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Time travel (FreeDoM, Yu et al. 2023, algorithm 2): after a step from t to s the sample is made noisy again, to t, and the step is
/// taken anew, a number of times. Guidance that is only roughly right so gets several tries at each noise level.
/// </summary>
/// <remarks>For one-step samplers: one that remembers earlier steps would take the repetitions for progress.</remarks>
/// <param name="Inner">The sampler of a step.</param>
/// <param name="Repeats">How often a step is taken again, ≥ 0.</param>
/// <param name="From">The largest noise-to-signal ratio σ/α at which it is.</param>
/// <param name="To">The smallest.</param>
public sealed record TimeTravel(Sampler Inner, int Repeats = 1, double From = double.PositiveInfinity, double To = 0) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Repeats < 0) throw new ArgumentOutOfRangeException(nameof(Repeats), Repeats, "A step is taken again 0 times or more.");
        var (step, process) = (Inner.Begin(run), run.Process);
        return (x, t, s) =>
        {
            double ratio = process.Sigma(t) / process.Alpha(t);
            for (int i = 0; i < Repeats && ratio <= From && ratio >= To; i++)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var (scale, variance) = process.Transition(s, t);
                x = (scale * step(x, t, s) + Math.Sqrt(variance) * run.Noise(x)).MoveToOuterDisposeScope();
            }
            return step(x, t, s);
        };
    }
}
