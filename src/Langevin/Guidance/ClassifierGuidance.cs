using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// Classifier guidance (Dhariwal &amp; Nichol 2021, section 4): the score plus w ∇_x log p(y | x_t), y the condition's label, by a
/// classifier that knows noise. With an unconditional model and w = 1 that is the conditional score exactly (Bayes).
/// </summary>
/// <remarks>
/// The model is asked under the condition it is given: an unconditional one inside is <c>model.Told(c => c.Null())</c>, or
/// <c>model.Told(_ => Condition.None)</c> where it has no classes. Samples of label −1 are not guided.
/// </remarks>
/// <param name="Inner">The model.</param>
/// <param name="Classifier">The classifier.</param>
/// <param name="Scale">w.</param>
/// <param name="Temperature">What the logits are divided by, &gt; 0: below 1 makes the classifier surer.</param>
/// <param name="Interval">Where guidance acts; everywhere if not given.</param>
public sealed record ClassifierGuidance(IDenoiser Inner, INoisyClassifier Classifier, double Scale, double Temperature = 1, Interval? Interval = null) : DenoiserDecorator(Inner)
{
    /// <summary>w.</summary>
    public double Scale { get; } = Asked.Finite(Scale, nameof(Scale));

    /// <summary>What the logits are divided by.</summary>
    public double Temperature { get; } = Temperature > 0 ? Temperature : throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "The temperature must be positive; 1 leaves the classifier as it is.");

    /// <inheritdoc/>
    public override Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        var label = condition.Label ?? throw new ArgumentException("Classifier guidance needs the label to guide towards, and the condition has none.", nameof(condition));
        var weight = t.Select(u => Interval?.Contains(Process, u) ?? true ? Scale : 0);
        if (weight.All(w => w == 0)) return Inner.Denoise(x, t, condition);
        using var scope = NewDisposeScope();
        var none = label.eq(-1);
        var gradient = Gradients.Of(leaf =>
        {
            var logits = Classifier.Logits(leaf, t) / Temperature;
            return logits.log_softmax(1).gather(1, label.masked_fill(none, 0).unsqueeze(1)).squeeze(1).masked_fill(none, 0);
        }, x, "The classifier");
        return Inner.Denoise(x, t, condition).Steered(weight.As(x) * gradient);
    }
}
