using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Discrete;

/// <summary>Says what the clean states were.</summary>
public interface ICategoricalDenoiser
{
    /// <summary>The chain whose states it reads.</summary>
    CategoricalProcess Process { get; }

    /// <summary>log p(x_0 | x_n) of each element, [N, ..., K].</summary>
    /// <param name="x">x_n, int64 [N, ...].</param>
    /// <param name="n">int64 [N].</param>
    /// <param name="condition">What it is told besides.</param>
    Tensor LogProbabilities(Tensor x, Tensor n, Condition condition);
}

/// <summary>What a network's logits mean.</summary>
public enum CategoricalPrediction
{
    /// <summary>The clean state.</summary>
    X0,

    /// <summary>By how many states, cyclically, x_n lies above the clean one. With two states: whether it was flipped (Chen et al. 2023, BerDiff).</summary>
    Change,
}

/// <summary>A network that reads states as channels, [N, K, ...] of zeros and ones, and gives logits [N, K, ...].</summary>
/// <param name="network">The network; its noise level is the step n, as a real number.</param>
/// <param name="process">The chain.</param>
/// <param name="prediction">What its logits mean.</param>
/// <param name="neverClean">A state that clean data never have, as the mask; null for none.</param>
public sealed class CategoricalDenoiser(Network network, CategoricalProcess process, CategoricalPrediction prediction = CategoricalPrediction.X0, int? neverClean = null) : ICategoricalDenoiser
{
    /// <inheritdoc/>
    public CategoricalProcess Process => process;

    /// <summary>The network.</summary>
    public Network Network => network;

    /// <inheritdoc/>
    public Tensor LogProbabilities(Tensor x, Tensor n, Condition condition)
    {
        using var scope = NewDisposeScope();
        var logits = network.call(process.OneHot(x).movedim([-1], [1]).contiguous(), n.to(ScalarType.Float32), condition).movedim([1], [-1]);
        if (neverClean is { } never)
        {
            using var forbidden = zeros(process.States, ScalarType.Bool, logits.device);
            forbidden[never] = true;
            logits = logits.masked_fill(forbidden, -1e9);
        }
        var log = logits.log_softmax(-1);
        if (prediction == CategoricalPrediction.Change)
        {
            // State k is clean where the change is x − k.
            var change = (x.unsqueeze(-1) - arange(process.States, ScalarType.Int64, x.device)).remainder(process.States);
            log = log.gather(-1, change);
        }
        return log.MoveToOuterDisposeScope();
    }
}
