using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>Images of another set, mirrored and shifted at random; what happens to an item follows from the seed alone.</summary>
/// <param name="source">A set of images C, H, W; not owned.</param>
/// <param name="flip">Mirror left and right with probability ½.</param>
/// <param name="shift">Shift by up to this many pixels in each direction, repeating the edge.</param>
public sealed class Augmented(IDataset source, bool flip = false, int shift = 0) : IDataset
{
    private readonly IDataset source = source.ItemShape.Length != 3
        ? throw new ArgumentException($"'{source.Name}' has items of shape [{string.Join(", ", source.ItemShape)}]: only images C, H, W can be flipped or shifted.", nameof(source))
        : shift < 0 || shift >= Math.Min(source.ItemShape[1], source.ItemShape[2])
        ? throw new ArgumentOutOfRangeException(nameof(shift), shift, $"Expected 0..{Math.Min(source.ItemShape[1], source.ItemShape[2]) - 1} pixels.")
        : source;

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
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        using var scope = NewDisposeScope();
        var batch = source.Get(indices, seed);
        long n = indices.Length, channels = ItemShape[0], height = ItemShape[1], width = ItemShape[2];
        long[] dx = new long[n], dy = new long[n], mirrored = new long[n];
        for (int i = 0; i < n; i++)
        {
            var random = new SeededRandom(seed, i, indices[i]);
            (mirrored[i], dx[i], dy[i]) = (flip ? random.Next(2) : 0, random.Next(2 * shift + 1) - shift, random.Next(2 * shift + 1) - shift);
        }
        // Column x of the result is column x + dx of the source, or its mirror image; clamping repeats the edge.
        var sign = tensor(mirrored).mul(-2).add(1).view(n, 1);
        var column = (arange(width, ScalarType.Int64).mul(sign) + tensor(mirrored).mul(width - 1).view(n, 1) + tensor(dx).view(n, 1)).clamp(0, width - 1);
        var row = (arange(height, ScalarType.Int64) + tensor(dy).view(n, 1)).clamp(0, height - 1);
        var samples = batch.Samples
            .gather(2, row.view(n, 1, height, 1).expand(n, channels, height, width))
            .gather(3, column.view(n, 1, 1, width).expand(n, channels, height, width));
        batch.Labels?.MoveToOuterDisposeScope();
        return batch with { Samples = samples.MoveToOuterDisposeScope() };
    }
}
