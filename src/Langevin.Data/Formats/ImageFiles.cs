using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>Image files decoded when they are asked for, so that a folder may be larger than memory.</summary>
public sealed class ImageFiles : IDataset
{
    private readonly string[] files;
    private readonly long[] labels;
    private readonly int? size;
    private readonly bool grey;

    private ImageFiles(string name, string root, string[] files, long[] labels, string[] classes, long[] shape, int? size, bool grey)
    {
        (Name, this.files, this.labels, this.size, this.grey) = (name, files, labels, size, grey);
        (Count, ItemShape, ClassNames) = (files.Length, shape, classes);
        Paths = [.. files.Select(f => Path.GetRelativePath(root, f))];
    }

    /// <summary>Lists every image below a folder, flat or in one subfolder for each class, in order of path, and reads the headers.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">Size, grey or RGB, split. <see cref="DataOptions.MaxBytes"/> does not matter here.</param>
    /// <param name="oneSize">Refuse images of different sizes where no size is given; without it they can only be asked for one by one.</param>
    /// <exception cref="InvalidDataException">No images, different sizes, or a damaged file.</exception>
    public static ImageFiles Open(string path, DataOptions? options = null, bool oneSize = true)
    {
        options ??= new();
        if (!Directory.Exists(path)) throw new FileNotFoundException($"No folder '{path}'.", path);
        var (root, files, labels, classes) = ImageFolder.Find(path, options);
        var (shape, grey) = ImageFolder.Survey(root, files, options, oneSize);
        return new(ImageFolder.NameOf(path), root, files, labels, classes, shape, options.Size, grey);
    }

    /// <summary>Whether a folder holds images, here or below.</summary>
    public static bool IsFolder(string path) => Directory.Exists(path)
        && Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 8 }).Any(ImageFile.HasImageExtension);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Kind => "image files";

    /// <inheritdoc/>
    public int Count { get; }

    /// <summary>C, H, W: of the first image where sizes differ.</summary>
    public long[] ItemShape { get; }

    /// <inheritdoc/>
    public int ClassCount => ClassNames.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The files in order, relative to the folder.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <inheritdoc/>
    public Batch Get(ReadOnlySpan<long> indices, long seed)
    {
        long[] asked = indices.ToArray();
        foreach (long i in asked)
            if (i < 0 || i >= Count) throw new ArgumentOutOfRangeException(nameof(indices), i, $"{Name} has items 0..{Count - 1}.");
        using var scope = NewDisposeScope();
        var images = new Tensor?[asked.Length];
        try
        {
            ImageFolder.Each(asked.Length, i => images[i] = ImageFile.Decode(files[asked[i]], size, grey).DetachFromDisposeScope());
            if (Array.FindIndex(images, t => !t!.shape.AsSpan().SequenceEqual(images[0]!.shape)) is var other and >= 0)
                throw new InvalidDataException($"images differ in size: '{Paths[(int)asked[0]]}' and '{Paths[(int)asked[other]]}'; give a size to scale them to");
            var samples = stack(images.Select(t => t!)).to(ScalarType.Float32).div_(127.5f).sub_(1f).MoveToOuterDisposeScope();
            return new(samples, labels.Length == 0 ? null : tensor(Array.ConvertAll(asked, i => labels[i])).MoveToOuterDisposeScope());
        }
        finally
        {
            foreach (var image in images) image?.Dispose();
        }
    }
}
