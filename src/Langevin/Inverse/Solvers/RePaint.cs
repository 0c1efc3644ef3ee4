using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// RePaint (Lugmayr et al. 2022, algorithm 1): inpainting with what is seen replaced by its noisy self after every step, and steps taken back
/// and repeated, so that the rest comes to fit.
/// </summary>
/// <param name="Measurement">What is seen, of <see cref="Inpainting"/>.</param>
/// <param name="Jump">Jump length j: a return goes j steps of the grid up again.</param>
/// <param name="Resamplings">r: how often each stretch is walked in all; 1 is plain replacement.</param>
/// <param name="Inner">What makes a step; <see cref="DdpmAncestral"/> if not given. It must not remember anything between steps.</param>
public sealed record RePaint(Measurement Measurement, int Jump = 10, int Resamplings = 10, Sampler? Inner = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Measurement.Operator is not Inpainting inpainting) throw new NotSupportedException("RePaint replaces pixels that are seen: its operator must be Inpainting.");
        if (Jump < 1 || Resamplings < 1) throw new ArgumentOutOfRangeException(nameof(Jump), $"Jump {Jump} and resamplings {Resamplings} must be at least 1.");
        var inner = (Inner ?? new DdpmAncestral()).Begin(run);
        var grid = run.Grid;
        return (x, _, _) =>
        {
            int here = run.Index, left = grid.Steps - 2 - here; // steps left after the last noisy time
            x = Move(x, here);
            if (left < 0 || left % Jump != 0 || left >= grid.Steps - Jump) return x;
            for (int again = 1; again < Resamplings; again++)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                // Back up by one transition of j steps: the same law as j single ones.
                var (scale, variance) = run.Process.Transition(grid[here + 1], grid[here + 1 - Jump]);
                x = scale * x + Math.Sqrt(variance) * run.Noise(x);
                for (int i = here + 1 - Jump; i <= here; i++) x = Move(x, i);
            }
            run.Index = here;
            return x;
        };

        Tensor Move(Tensor x, int index)
        {
            using var scope = NewDisposeScope();
            run.Index = index;
            double s = grid[index + 1];
            var next = inner(x, grid[index], s);
            var mask = inpainting.Mask(x);
            double sigma = run.Process.Sigma(s);
            var seen = run.Process.Alpha(s) * Measurement.Y;
            if (sigma > 0) seen = seen + sigma * run.Noise(x);
            return (mask * seen + (1 - mask) * next).MoveToOuterDisposeScope();
        }
    }
}
