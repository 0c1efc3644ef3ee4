using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Autoguidance (Karras et al. 2024): b + w (g − b), away from a weaker version b of the model g: smaller, trained for less long, or
/// corrupted, and asked under the same condition. w = 1 is the model.
/// </summary>
/// <param name="Inner">The model g.</param>
/// <param name="Weaker">The weaker model b, on the same process.</param>
/// <param name="Scale">w.</param>
/// <param name="Interval">Where guidance acts; everywhere if not given.</param>
public sealed record AutoGuidance(IDenoiser Inner, IDenoiser Weaker, double Scale, Interval? Interval = null) : DenoiserDecorator(Inner)
{
    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <inheritdoc/>
    public override IDenoiser Begin(DenoisingRun run) => this with { Inner = Inner.Begin(run), Weaker = Weaker.Begin(run) };

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var weight = Asked.Weight(Process, t, Scale, Interval);
        if (weight.All(w => w == 1)) return Inner.Denoise(x, t, condition);
        using var scope = NewDisposeScope();
        var model = Inner.Denoise(x, t, condition);
        var weaker = Weaker.Denoise(x, t, condition).View(model.Kind);
        return model.Kept(model.Kind, weaker + weight.As(x) * (model.Value - weaker));
    }
}
