using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// A perpendicular negative (Perp-Neg, Armandpour et al. 2023, section 4): u + w (d − v d_neg⊥), where d = c − u, d_neg = n − u, and
/// d_neg⊥ is what of the negative condition's direction is perpendicular to d. So what both conditions share is not pushed away.
/// </summary>
/// <param name="Inner">A denoiser that knows the unconditional case.</param>
/// <param name="Negative">What not to show: a condition with the slots of the one sampled, of one row or one a sample.</param>
/// <param name="Scale">w.</param>
/// <param name="NegativeWeight">v ≥ 0.</param>
public sealed record PerpendicularNegative(IDenoiser Inner, Condition Negative, double Scale, double NegativeWeight = 1) : DenoiserDecorator(Inner)
{
    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        Asked.NeedCondition(condition);
        using var scope = NewDisposeScope();
        var answers = Asked.Under(Inner, x, t, condition, Negative.Rows(x.shape[0]), condition.Null());
        var (c, n, u) = (answers[0], answers[1].Value, answers[2].Value);
        Tensor towards = c.Value - u, away = n - u;
        away = away - PerSample.Along(away, towards);
        return c.Kept(c.Kind, u + Scale * (towards - NegativeWeight * away));
    }
}
