namespace Langevin.Data;

/// <summary>Some items of another set, in a given order.</summary>
/// <param name="source">The set the items come from; not owned.</param>
/// <param name="indices">Items of <paramref name="source"/>.</param>
/// <param name="name">A name; null keeps the source's.</param>
public sealed class Subset(IDataset source, IReadOnlyList<int> indices, string? name = null) : IDataset
{
    private readonly int[] indices = indices.Count == 0 ? throw new ArgumentException($"A subset of '{source.Name}' needs at least one item.", nameof(indices))
        : indices.All(i => i >= 0 && i < source.Count) ? [.. indices]
        : throw new ArgumentOutOfRangeException(nameof(indices), indices.First(i => i < 0 || i >= source.Count), $"{source.Name} has items 0..{source.Count - 1}.");

    /// <summary>The set the items come from.</summary>
    public IDataset Source => source;

    /// <summary>The items' numbers in the source.</summary>
    public IReadOnlyList<int> Indices => indices;

    /// <inheritdoc/>
    public string Name { get; } = name ?? source.Name;

    /// <inheritdoc/>
    public string Kind => source.Kind;

    /// <inheritdoc/>
    public int Count => indices.Length;

    /// <inheritdoc/>
    public long[] ItemShape => source.ItemShape;

    /// <inheritdoc/>
    public int ClassCount => source.ClassCount;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<string> ColumnNames => source.ColumnNames;

    /// <inheritdoc/>
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        var mapped = new long[indices.Length];
        for (int i = 0; i < mapped.Length; i++)
            mapped[i] = (ulong)indices[i] < (ulong)this.indices.Length ? this.indices[indices[i]]
                : throw new ArgumentOutOfRangeException(nameof(indices), indices[i], $"{Name} has items 0..{Count - 1}.");
        return source.Get(mapped, seed);
    }
}
