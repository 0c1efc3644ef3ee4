using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Classifier-free guidance (Ho &amp; Salimans 2022): u + w (c − u) of the conditional answer c and the unconditional one u, asked
/// for in one batch of twice the size. w = 1 is the conditional model, w = 0 the unconditional one. A learned variance is the
/// conditional one's.
/// </summary>
public sealed class ClassifierFreeGuidance : IDenoiser
{
    private readonly IDenoiser inner;
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
    public ClassifierFreeGuidance(IDenoiser inner, double scale, double rescale = 0, Interval? interval = null)
    {
        if (!double.IsFinite(scale)) throw new ArgumentOutOfRangeException(nameof(scale), scale, "The guidance scale must be finite; 1 is no guidance.");
        if (rescale is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(rescale), rescale, "The rescaling share φ lies in [0, 1].");
        (this.inner, Scale, this.rescale, this.interval) = (inner, scale, rescale, interval);
    }

    /// <summary>w.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    public GaussianProcess Process => inner.Process;

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        if (condition.IsEmpty && Scale != 0)
            throw new ArgumentException("Guidance needs a condition to guide towards, and none was given: pass a label or another condition, or sample the unguided model.", nameof(condition));
        var weight = t.Select(u => interval?.Contains(Process, u) ?? true ? Scale : 1);
        if (weight.IsUniform && weight.Value == 1) return inner.Denoise(x, t, condition);
        if (weight.IsUniform && weight.Value == 0) return inner.Denoise(x, t, condition.Null());

        using var scope = NewDisposeScope();
        var pair = inner.Denoise(cat([x, x], 0), t.Doubled(), Condition.Cat(condition, condition.Null()));
        var (conditional, unconditional) = Halves(pair.Value);
        var guided = unconditional + weight.As(x) * (conditional - unconditional);
        if (rescale > 0) guided = guided * (rescale * Spread(conditional) / Spread(guided) + (1 - rescale));
        var variance = pair.Variance is { } v ? Halves(v).First.MoveToOuterDisposeScope() : null;
        return new(pair.Kind, guided.MoveToOuterDisposeScope(), x, pair.Process, t, variance, pair.VarianceKind);
    }

    private static (Tensor First, Tensor Second) Halves(Tensor pair)
    {
        var halves = pair.chunk(2, 0);
        return (halves[0], halves[1]);
    }

    private static Tensor Spread(Tensor x) => x.flatten(1).std(1).view([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 1)]);
}
