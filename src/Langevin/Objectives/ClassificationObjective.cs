using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The loss of a classifier of noisy samples (Dhariwal &amp; Nichol 2021): the cross-entropy of the condition's labels with the logits at
/// x_t. Samples of label −1 do not count.
/// </summary>
public sealed record ClassificationObjective : Objective
{
    /// <inheritdoc/>
    public override Tensor Loss(IDenoiser denoiser, Tensor x0, Condition condition, Times t, Tensor noise)
    {
        var label = condition.Label ?? throw new ArgumentException("A classifier learns from labels, and the condition has none.", nameof(condition));
        NeedFit(x0, t, noise);
        using var scope = NewDisposeScope();
        var logits = denoiser.Denoise(denoiser.Process.Corrupt(x0, t, noise), t, Condition.None).Output;
        return nn.functional.cross_entropy(logits, label, ignore_index: -1, reduction: nn.Reduction.None).MoveToOuterDisposeScope();
    }

    /// <summary>Not to be used: a prediction alone does not say which class was right.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override Tensor Loss(Prediction prediction, Tensor x0, Tensor noise) =>
        throw new NotSupportedException("A classifier's loss needs the labels: call the overload that takes the condition.");
}
