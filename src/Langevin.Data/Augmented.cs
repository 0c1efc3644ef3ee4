using System.Runtime.InteropServices;
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
        var batch = source.Get(indices, seed);
        var samples = empty(batch.Samples.shape, ScalarType.Float32);
        int channels = (int)ItemShape[0], height = (int)ItemShape[1], width = (int)ItemShape[2], plane = height * width;
        ReadOnlySpan<float> from = MemoryMarshal.Cast<byte, float>(batch.Samples.bytes);
        var to = MemoryMarshal.Cast<byte, float>(samples.bytes);
        var column = new int[width];
        for (int i = 0; i < indices.Length; i++)
        {
            var random = new SeededRandom(seed, i, indices[i]);
            bool mirrored = flip && random.Next(2) == 1;
            int dx = random.Next(2 * shift + 1) - shift, dy = random.Next(2 * shift + 1) - shift;
            // Clamping repeats the edge.
            for (int x = 0; x < width; x++) column[x] = Math.Clamp((mirrored ? width - 1 - x : x) + dx, 0, width - 1);
            for (int c = 0; c < channels; c++)
                for (int y = 0; y < height; y++)
                {
                    int at = (i * channels + c) * plane;
                    var source = from.Slice(at + Math.Clamp(y + dy, 0, height - 1) * width, width);
                    var row = to.Slice(at + y * width, width);
                    for (int x = 0; x < row.Length; x++) row[x] = source[column[x]];
                }
        }
        batch.Samples.Dispose();
        return batch with { Samples = samples };
    }
}
