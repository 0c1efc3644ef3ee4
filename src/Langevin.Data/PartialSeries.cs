using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>Series of several features of which a part was recorded, and a part of that is kept back to judge how well it is filled in.</summary>
public sealed class PartialSeries : IDisposable
{
    /// <summary>Wraps tensors, all float32 [N, K, L]; the set owns them from now on (they leave any dispose scope).</summary>
    /// <param name="name">A short name.</param>
    /// <param name="values">Any finite number where nothing was recorded.</param>
    /// <param name="observed">1 where a value was recorded, 0 elsewhere.</param>
    /// <param name="given">1 where it is told, 0 elsewhere: never where it was not recorded.</param>
    /// <param name="featureNames">K names.</param>
    /// <exception cref="ArgumentException">Shapes or element types do not fit.</exception>
    public PartialSeries(string name, Tensor values, Tensor observed, Tensor given, IReadOnlyList<string> featureNames)
    {
        foreach (var tensor in new[] { values, observed, given })
            if (tensor.dim() != 3 || tensor.numel() == 0 || tensor.dtype != ScalarType.Float32 || !tensor.shape.SequenceEqual(values.shape))
                throw new ArgumentException($"A part is {tensor.dtype} [{string.Join(", ", tensor.shape)}]: expected three float32 [N, K, L] of one shape.");
        if (featureNames.Count != values.shape[1]) throw new ArgumentException($"{featureNames.Count} names for {values.shape[1]} features.", nameof(featureNames));
        (Name, Values, Observed, Given, FeatureNames) = (name, values.DetachFromDisposeScope(), observed.DetachFromDisposeScope(), given.DetachFromDisposeScope(), featureNames);
        using var scope = NewDisposeScope();
        Judged = (observed - given).DetachFromDisposeScope();
        if (Judged.lt(0).any().item<bool>()) throw new ArgumentException("A value is given where none was recorded.", nameof(given));
    }

    /// <summary>A short name.</summary>
    public string Name { get; }

    /// <summary>Number of series N.</summary>
    public int Count => (int)Values.shape[0];

    /// <summary>Number of features K.</summary>
    public int Features => (int)Values.shape[1];

    /// <summary>Number of times L.</summary>
    public int Length => (int)Values.shape[2];

    /// <summary>float32 [N, K, L]. Not to be disposed or changed, like the other parts.</summary>
    public Tensor Values { get; }

    /// <summary>1 where a value was recorded.</summary>
    public Tensor Observed { get; }

    /// <summary>1 where a value is told to what fills in the rest.</summary>
    public Tensor Given { get; }

    /// <summary>1 where a value was recorded and kept back: <see cref="Observed"/> less <see cref="Given"/>.</summary>
    public Tensor Judged { get; }

    /// <summary>A name for each feature.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Each feature's 0 in its own unit.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [];

    /// <summary>Each feature's 1 in its own unit.</summary>
    public IReadOnlyList<double> Std { get; init; } = [];

    /// <summary>Some of the series, copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set.</exception>
    public PartialSeries Take(IEnumerable<int> indices)
    {
        long[] chosen = [.. indices.Select(i => (long)i)];
        foreach (long i in chosen)
            if (i < 0 || i >= Count) throw new ArgumentOutOfRangeException(nameof(indices), i, $"{Name} has series 0..{Count - 1}.");
        using var index = tensor(chosen);
        return new(Name, Values.index_select(0, index), Observed.index_select(0, index), Given.index_select(0, index), FeatureNames) { Mean = Mean, Std = Std };
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Values.Dispose();
        Observed.Dispose();
        Given.Dispose();
        Judged.Dispose();
    }
}
