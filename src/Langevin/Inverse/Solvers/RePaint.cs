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
    /// <summary>
    /// Number of a table's steps that every step spans, for the variant of diffusers; null for the paper's. There one draw serves what is
    /// seen and what is not, the steps are <see cref="Ddim"/>'s, a return begins one step later (the last of them at clean data), and it
    /// goes up through the table's single steps above the time that the state was reached from.
    /// </summary>
    public int? Stride { get; init; }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Measurement.Operator is not Inpainting inpainting) throw new NotSupportedException("RePaint replaces pixels that are seen: its operator must be Inpainting.");
        if (Jump < 1 || Resamplings < 1) throw new ArgumentOutOfRangeException(nameof(Jump), $"Jump {Jump} and resamplings {Resamplings} must be at least 1.");
        if (Stride < 1) throw new ArgumentOutOfRangeException(nameof(Stride), Stride, "A step spans at least one of the table's.");
        double? eta = Stride is null ? null : ((Inner ?? new Ddim()) as Ddim ?? throw new ArgumentException("With a stride RePaint steps as DDIM does: give a Ddim.")).Eta;
        var inner = (Inner ?? new DdpmAncestral()).Begin(run);
        var grid = run.Grid;
        return (x, _, _) =>
        {
            // Steps left after the last noisy time.
            int here = run.Index, left = grid.Steps - (Stride is null ? 2 : 1) - here;
            x = Move(x, here);
            if (left < 0 || left % Jump != 0 || left >= grid.Steps - Jump) return x;
            for (int again = 1; again < Resamplings; again++)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                x = Back(x, here);
                for (int i = here + 1 - Jump; i <= here; i++) x = Move(x, i);
            }
            run.Index = here;
            return x;
        };

        Tensor Back(Tensor x, int here)
        {
            using var scope = NewDisposeScope();
            // One transition of j steps has the law of j single ones.
            if (Stride is not { } stride) x = Noised(x, grid[here + 1], grid[here + 1 - Jump]);
            else
                for (int i = 0; i < Jump; i++)
                    for (int n = 0; n < stride; n++) x = Noised(x, grid[here - i] + n - 1, grid[here - i] + n);
            return x.MoveToOuterDisposeScope();
        }

        Tensor Noised(Tensor x, double s, double t)
        {
            var (scale, variance) = run.Process.Transition(s, t);
            return scale * x + Math.Sqrt(variance) * run.Noise(x);
        }

        Tensor Move(Tensor x, int index)
        {
            using var scope = NewDisposeScope();
            run.Index = index;
            var (t, s) = (grid[index], grid[index + 1]);
            double alpha = run.Process.Alpha(s), sigma = run.Process.Sigma(s);
            var mask = inpainting.Mask(x);
            Tensor next, seen = alpha * Measurement.Y;
            if (eta is { } share)
            {
                var (said, noise) = (run.Denoise(x, t), run.Noise(x));
                var (kept, fresh) = Ddim.Split(run.Process, t, s, share);
                next = alpha * said.X0 + kept * said.Epsilon + fresh * noise;
                seen = seen + sigma * noise;
            }
            else
            {
                next = inner(x, t, s);
                if (sigma > 0) seen = seen + sigma * run.Noise(x);
            }
            return (mask * seen + (1 - mask) * next).MoveToOuterDisposeScope();
        }
    }
}
