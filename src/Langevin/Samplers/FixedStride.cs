namespace Langevin.Samplers;

/// <summary>
/// A sampler whose steps all span the same number of a table's steps, wherever the grid's times lie: published DDIM code
/// steps from t to t − ⌊T/n⌋ also where the next time it visits is another.
/// </summary>
/// <param name="Inner">What makes the step.</param>
/// <param name="Stride">⌊T/n⌋, or the width of a step where times are not whole.</param>
/// <param name="End">The time that stands for any below 0.</param>
/// <param name="Upwards">Whether a step is an inversion, which ends at the grid's time and begins a stride below it.</param>
public sealed record FixedStride(Sampler Inner, double Stride, double End, bool Upwards = false) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        var step = Inner.Begin(run);
        double Below(double t) => t < Stride ? End : t - Stride;
        return Upwards ? (x, _, s) => step(x, Below(s), s) : (x, t, _) => step(x, t, Below(t));
    }
}
