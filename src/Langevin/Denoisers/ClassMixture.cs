using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// Data in classes, each a mixture of Gaussians: the exact conditional denoiser of every label, the unconditional one of label −1 (or
/// of no label), and the exact noisy classifier. The oracle against which guidance is checked.
/// </summary>
public sealed class ClassMixture : IDenoiser, INoisyClassifier, IDisposable
{
    private readonly GaussianMixture[] classes;
    private readonly Tensor logWeights; // [K]

    /// <summary>Joins classes.</summary>
    /// <param name="weights">[K], positive: how frequent each class is; normalised here.</param>
    /// <param name="classes">The distribution of each, all under one process; disposed with this.</param>
    public ClassMixture(double[] weights, params GaussianMixture[] classes)
    {
        if (classes.Length == 0 || weights.Length != classes.Length) throw new ArgumentException($"There are {weights.Length} weights for {classes.Length} classes; give one each, and at least one.", nameof(weights));
        if (classes.Any(c => !ReferenceEquals(c.Process, classes[0].Process))) throw new ArgumentException("The classes must all be under one process.", nameof(classes));
        double sum = weights.Sum();
        this.classes = classes;
        logWeights = tensor(Array.ConvertAll(weights, w => Math.Log(w / sum)), ScalarType.Float64).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public GaussianProcess Process => classes[0].Process;

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var posterior = Logits(x, t).softmax(1);
        if (condition.Label is { } label)
        {
            var chosen = nn.functional.one_hot(label.clamp_min(0), classes.Length).to(x.dtype);
            posterior = where(label.eq(-1).unsqueeze(1), posterior, chosen);
        }
        var answers = Array.ConvertAll(classes, c => c.Denoise(x, t, Condition.None));
        Tensor Mean(Func<Prediction, Tensor> view) => einsum("nk,knd->nd", posterior, stack([.. answers.Select(a => view(a).flatten(1))])).view(x.shape).MoveToOuterDisposeScope();
        return new(Mean(a => a.X0), Mean(a => a.Epsilon), x, Process, t);
    }

    /// <summary>log p(y) p_t(x | y), exact: [N, K].</summary>
    public Tensor Logits(Tensor x, Times t)
    {
        using var scope = NewDisposeScope();
        return (logWeights.to(x.dtype) + stack([.. classes.Select(c => c.LogProbability(x, t))], 1)).MoveToOuterDisposeScope();
    }

    /// <summary>log p_t(x), exact: [N].</summary>
    public Tensor LogProbability(Tensor x, Times t)
    {
        using var scope = NewDisposeScope();
        return Logits(x, t).logsumexp(1).MoveToOuterDisposeScope();
    }

    /// <summary>The distribution of one class.</summary>
    public GaussianMixture this[int label] => classes[label];

    /// <summary>Number of classes.</summary>
    public int Count => classes.Length;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mixture in classes) mixture.Dispose();
        logWeights.Dispose();
    }
}
