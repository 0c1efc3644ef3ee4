using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// Small scenes, 32×32 RGB or another size: one to three circles, squares, triangles and stars in eight colours, with captions, masks and boxes.
/// The label is the shape of the main (largest) object, or its shape and colour. No file is needed.
/// </summary>
/// <remarks>Scene i is a pure function of (seed, i); its main object has shape i mod 4 and colour ⌊i/4⌋ mod 8.</remarks>
public sealed class Shapes : IDataset, IDisposable
{
    private readonly ArrayDataset images;
    private readonly string[] captions;
    private readonly long seed, first;

    private Shapes(ArrayDataset images, string[] captions, long seed, long first) =>
        (this.images, this.captions, this.seed, this.first) = (images, captions, seed, first);

    /// <summary>Draws scenes first..first + count − 1 in parallel.</summary>
    /// <param name="count">Number of scenes, at least 1.</param>
    /// <param name="seed">Decides the scenes.</param>
    /// <param name="first">Number of the first scene; a range of its own gives a held-out set.</param>
    /// <param name="byColor">True: 32 classes, 4 · colour + shape ("red circle"). False: 4 classes, the shape ("circle").</param>
    /// <param name="size">Height and width of the pictures in pixels, at least 8; a scene's coordinates are those of 32 whatever it is.</param>
    public static Shapes Create(int count = 12_000, long seed = 0, long first = 0, bool byColor = false, int size = Scene.Size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 8);
        var captions = new string[Math.Max(count, 0)];
        var images = Render.Images("shapes", count, 3, size, () => 0, (_, i, target) =>
        {
            var scene = Scene.Of(seed, first + i);
            captions[i] = scene.Caption;
            scene.Draw(target, size);
        });
        string[] kinds = [.. Enum.GetNames<ShapeKind>().Select(n => n.ToLowerInvariant())];
        string[] names = byColor ? [.. from color in Enum.GetNames<ShapeColor>() from kind in kinds select $"{color.ToLowerInvariant()} {kind}"] : kinds;
        return new(new(size == Scene.Size ? "shapes" : $"shapes-{size}", images, Render.Turns(first, count, names.Length), names), captions, seed, first);
    }

    /// <inheritdoc/>
    public string Name => images.Name;

    /// <inheritdoc/>
    public string Kind => "procedural";

    /// <inheritdoc/>
    public int Count => images.Count;

    /// <inheritdoc/>
    public long[] ItemShape => images.ItemShape;

    /// <inheritdoc/>
    public int ClassCount => images.ClassCount;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => images.ClassNames;

    /// <summary>What item <paramref name="index"/> shows: objects, caption, mask, boxes.</summary>
    public Scene SceneAt(int index) => (uint)index < (uint)Count ? Scene.Of(seed, first + index)
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"{Name} has items 0..{Count - 1}.");

    /// <inheritdoc/>
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        var batch = images.Get(indices, seed);
        var texts = new string[indices.Length];
        for (int i = 0; i < texts.Length; i++) texts[i] = captions[indices[i]];
        return batch with { Captions = texts };
    }

    /// <summary>Frees the images.</summary>
    public void Dispose() => images.Dispose();
}
