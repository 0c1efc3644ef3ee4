using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>Image files in a folder: flat, or one subfolder for each class, or either below <c>train</c> and <c>test</c>.</summary>
public static class ImageFolder
{
    private static readonly string[] TrainNames = ["train", "training"], TestNames = ["test", "val", "valid", "validation"];

    /// <summary>Reads every image below a folder, in parallel, in order of path.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">Size, grey or RGB, split, memory limit.</param>
    /// <exception cref="InvalidDataException">No images, different sizes without <see cref="DataOptions.Size"/>, or a damaged file.</exception>
    public static ArrayDataset Open(string path, DataOptions? options = null)
    {
        options ??= new();
        var (root, files, labels, classes) = Find(path, options);
        return Load(path, root, files, labels, classes, options);
    }

    /// <summary>One image as a set of one.</summary>
    internal static ArrayDataset OpenFile(string path, DataOptions options) => Load(path, path, [path], [], [], options);

    private static ArrayDataset Load(string path, string root, string[] files, long[] labels, string[] classes, DataOptions options)
    {
        var (shape, grey) = Survey(root, files, options, oneSize: true);
        long bytes = shape[0] * shape[1] * shape[2];
        if (files.Length * bytes > options.MaxBytes) throw new InvalidDataException($"{root}: {files.Length} images of {shape[2]}×{shape[1]} take {files.Length * bytes:N0} bytes, above the limit of {options.MaxBytes:N0}; give a smaller size");

        using var scope = NewDisposeScope();
        var images = empty([files.Length, .. shape], ScalarType.Byte);
        Each(files.Length, i =>
        {
            using var own = NewDisposeScope();
            images[i].copy_(ImageFile.Decode(files[i], options.Size, grey));
        });
        return new(NameOf(path), images.MoveToOuterDisposeScope(),
            classes.Length == 0 ? null : tensor(labels).MoveToOuterDisposeScope(), classes) { Kind = "image files" };
    }

    internal static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>The images below a folder, in order, with their labels.</summary>
    internal static (string Root, string[] Files, long[] Labels, string[] Classes) Find(string path, DataOptions options)
    {
        string root = Split(path, options);
        var (files, labels, classes) = List(root);
        return (root, files, labels, classes);
    }

    /// <summary>C, H, W of the images, from their headers.</summary>
    internal static (long[] Shape, bool Grey) Survey(string root, string[] files, DataOptions options, bool oneSize)
    {
        if (options.Size is { } asked && asked is < 1 or > ImageFile.MaxSide) throw new ArgumentOutOfRangeException(nameof(options), asked, $"Size: expected 1..{ImageFile.MaxSide} pixels.");
        if (files.Length == 0) throw new InvalidDataException($"{root}: no PNG, JPEG, WebP or BMP images in this folder");

        var headers = new (int Height, int Width, bool Grey)[files.Length];
        Each(files.Length, i => headers[i] = ImageFile.Inspect(files[i]));
        var first = headers[0];
        if (oneSize && options.Size is null && Array.FindIndex(headers, h => (h.Height, h.Width) != (first.Height, first.Width)) is var other and >= 0)
            throw new InvalidDataException($"{root}: images differ in size: {Path.GetFileName(files[0])} is {first.Width}×{first.Height}, {Path.GetFileName(files[other])} is {headers[other].Width}×{headers[other].Height}; give a size to scale them to");
        bool grey = options.Grey ?? headers.All(h => h.Grey);
        return ([grey ? 1 : 3, options.Size ?? first.Height, options.Size ?? first.Width], grey);
    }

    private static string Split(string path, DataOptions options)
    {
        string? Find(string[] names) => Directory.EnumerateDirectories(path).FirstOrDefault(d => names.Contains(Path.GetFileName(d).ToLowerInvariant()));
        string? train = Find(TrainNames), test = Find(TestNames);
        if (train is null && test is null || Directory.EnumerateFiles(path).Any(ImageFile.HasImageExtension)) return path;
        return options.Split is null ? train ?? test!
            : (options.WantsTest ? test : train) ?? throw new InvalidDataException($"{path}: no folder of {options.Split} images here");
    }

    private static (string[] Files, long[] Labels, string[] Classes) List(string root)
    {
        string[] flat = [.. Directory.EnumerateFiles(root).Where(ImageFile.HasImageExtension).Order(StringComparer.Ordinal)];
        var deep = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 8, IgnoreInaccessible = false };
        var classes = Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal)
            .Select(d => (Name: Path.GetFileName(d), Files: Directory.EnumerateFiles(d, "*", deep).Where(ImageFile.HasImageExtension).Order(StringComparer.Ordinal).ToArray()))
            .Where(c => c.Files.Length > 0).ToArray();
        if (flat.Length > 0 && classes.Length > 0)
            throw new InvalidDataException($"{root}: images both here ({Path.GetFileName(flat[0])}) and in subfolders ({classes[0].Name}): expected one or the other");
        if (flat.Length > 0) return (flat, [], []);
        return ([.. classes.SelectMany(c => c.Files)], [.. classes.SelectMany((c, k) => Enumerable.Repeat((long)k, c.Files.Length))], [.. classes.Select(c => c.Name)]);
    }

    // The error of the lowest number is thrown, so that one set always gives one message.
    internal static void Each(int count, Action<int> action)
    {
        var errors = new System.Collections.Concurrent.ConcurrentDictionary<int, Exception>();
        Parallel.For(0, count, (i, loop) =>
        {
            try
            {
                action(i);
            }
            catch (Exception e)
            {
                errors[i] = e;
                loop.Break();
            }
        });
        if (!errors.IsEmpty) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(errors.MinBy(e => e.Key).Value);
    }
}
