using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>A set whose numbers are brought to mean 0 and deviation 1: item (x − mean)/std, each coordinate by itself.</summary>
public sealed class Standardised : IDataset
{
    private readonly IDataset source;
    private readonly float[] mean, scale;

    /// <summary>A set in other units.</summary>
    /// <param name="source">A set of vectors; not owned.</param>
    /// <param name="mean">What becomes 0, a number a coordinate.</param>
    /// <param name="std">What becomes 1, above 0.</param>
    /// <exception cref="ArgumentException">The items are no vectors, or of another length.</exception>
    public Standardised(IDataset source, IReadOnlyList<double> mean, IReadOnlyList<double> std)
    {
        if (source.ItemShape.Length != 1) throw new ArgumentException($"'{source.Name}' has items of shape [{string.Join(", ", source.ItemShape)}]: only vectors are standardised.", nameof(source));
        if (mean.Count != source.ItemShape[0] || std.Count != mean.Count || std.Any(s => !(s > 0)))
            throw new ArgumentException($"{mean.Count} means and {std.Count} deviations for vectors of {source.ItemShape[0]}: expected one of each a coordinate, deviations above 0.", nameof(mean));
        (this.source, Mean, Std) = (source, [.. mean], [.. std]);
        (this.mean, scale) = ([.. mean.Select(m => (float)m)], [.. std.Select(s => (float)(1 / s))]);
    }

    /// <summary>What becomes 0.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>What becomes 1.</summary>
    public IReadOnlyList<double> Std { get; }

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public string Kind => source.Kind;

    /// <inheritdoc/>
    public int Count => source.Count;

    /// <inheritdoc/>
    public long[] ItemShape => source.ItemShape;

    /// <inheritdoc/>
    public int ClassCount => source.ClassCount;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> ColumnNames => source.ColumnNames;

    /// <summary>Mean and deviation of each coordinate; the deviation of a constant one counts as 1.</summary>
    /// <param name="set">A set of vectors.</param>
    public static (double[] Mean, double[] Std) Measure(IDataset set)
    {
        using var scope = NewDisposeScope();
        using var batch = set.Get([.. Enumerable.Range(0, set.Count).Select(i => (long)i)], 0);
        var x = batch.Samples.to(ScalarType.Float64);
        var std = x.std(0, unbiased: false);
        return (x.mean([0L]).data<double>().ToArray(), [.. std.data<double>().ToArray().Select(s => s > 0 ? s : 1)]);
    }

    /// <inheritdoc/>
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        var batch = source.Get(indices, seed);
        var values = MemoryMarshal.Cast<byte, float>(batch.Samples.bytes);
        for (int i = 0; i < values.Length; i++) values[i] = (values[i] - mean[i % mean.Length]) * scale[i % mean.Length];
        return batch;
    }
}
