using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>A denoiser that is told something else than it is asked: the unconditional model under a classifier, say.</summary>
/// <param name="Inner">The denoiser.</param>
/// <param name="What">The condition it is told, for the one it is asked under.</param>
public sealed record Told(IDenoiser Inner, Func<Condition, Condition> What) : DenoiserDecorator(Inner)
{
    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition) => Inner.Denoise(x, t, What(condition));
}

/// <summary>
/// What a denoiser says between two conditions: (1 − s) of its answer to the one it is asked under and s of that to another, which is
/// the score of p_a^(1−s) p_b^s. It serves labels, which have nothing in between; vectors may also be mixed themselves (<see cref="Condition.Lerp"/>).
/// </summary>
/// <param name="Inner">The denoiser.</param>
/// <param name="Other">The other condition, of one row or one a sample.</param>
/// <param name="Share">s: 0 is the condition asked under, 1 the other.</param>
public sealed record Between(IDenoiser Inner, Condition Other, double Share) : DenoiserDecorator(Inner)
{
    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var answers = Asked.Under(Inner, x, t, condition, Other.Rows(x.shape[0]));
        var one = answers[0];
        return one.Kept(one.Kind, one.Value + Share * (answers[1].Value - one.Value));
    }
}
