namespace Langevin.Data;

/// <summary>A finite, indexed set of samples of one shape.</summary>
/// <remarks>Implementations may be called from several threads at once.</remarks>
public interface IDataset
{
    /// <summary>A short name for logs and reports.</summary>
    string Name { get; }

    /// <summary>What it was made from: "IDX images", "CSV", "procedural", ...</summary>
    string Kind => "data set";

    /// <summary>Number of items, at least 1.</summary>
    int Count { get; }

    /// <summary>Shape of one item: C, H, W for images, D for vectors.</summary>
    long[] ItemShape { get; }

    /// <summary>Number of classes K (labels are 0..K−1); 0 when the items bear no label.</summary>
    int ClassCount { get; }

    /// <summary>A name for each class; empty when the items bear no label.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>A name for each coordinate of a vector; empty where they have none.</summary>
    IReadOnlyList<string> ColumnNames => [];

    /// <summary>Collates items into a batch; the caller owns it.</summary>
    /// <param name="indices">N items, each in 0..Count−1; repeats are allowed.</param>
    /// <param name="seed">Decides random augmentation, if any: equal arguments give equal batches.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set.</exception>
    Batch Get(ReadOnlySpan<long> indices, long seed);
}
