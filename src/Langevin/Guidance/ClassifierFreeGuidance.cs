using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Classifier-free guidance (Ho &amp; Salimans 2022): u + w (c − u) of the conditional answer c and the unconditional one u, asked
/// for in one batch of twice the size. w = 1 is the conditional model, w = 0 the unconditional one. A learned variance is the
/// conditional one's.
/// </summary>
public sealed record ClassifierFreeGuidance : DenoiserDecorator
{
    private readonly double rescale;
    private readonly Interval? interval;

    /// <summary>Guides a denoiser.</summary>
    /// <param name="inner">A denoiser that knows the unconditional case (<see cref="Condition.Null"/>).</param>
    /// <param name="scale">w.</param>
    /// <param name="rescale">
    /// φ in [0, 1]: how far the answer's standard deviation over each sample is brought back to the conditional one's (Lin et al. 2024,
    /// equations 15 and 16), in the network's own prediction.
    /// </param>
    /// <param name="interval">Where guidance acts; everywhere if not given.</param>
    /// <exception cref="ArgumentOutOfRangeException">A scale that is not finite, or φ outside [0, 1].</exception>
    public ClassifierFreeGuidance(IDenoiser inner, double scale, double rescale = 0, Interval? interval = null) : base(inner)
    {
        if (!double.IsFinite(scale)) throw new ArgumentOutOfRangeException(nameof(scale), scale, "The guidance scale must be finite; 1 is no guidance.");
        if (rescale is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(rescale), rescale, "The rescaling share φ lies in [0, 1].");
        (Scale, this.rescale, this.interval) = (scale, rescale, interval);
    }

    /// <summary>w.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        if (Scale != 0) Asked.NeedCondition(condition);
        var weight = Asked.Weight(Process, t, Scale, interval);
        if (weight.IsUniform && weight.Value == 1) return Inner.Denoise(x, t, condition);
        if (weight.IsUniform && weight.Value == 0) return Inner.Denoise(x, t, condition.Null());

        using var scope = NewDisposeScope();
        var (c, u) = Asked.Pair(Inner, x, t, condition);
        var guided = u.Value + weight.As(x) * (c.Value - u.Value);
        if (rescale > 0) guided = guided * (rescale * PerSample.Std(c.Value) / PerSample.Std(guided) + (1 - rescale));
        return c.Kept(c.Kind, guided);
    }
}
