using Langevin.Data.Formats;
using Langevin.Data.Procedural;

namespace Langevin.Data;

/// <summary>Opens data sets by name or path.</summary>
public static class Datasets
{
    // Held-out items of a procedural set are those from here on.
    private const long TestFirst = 1L << 40;
    private const int TrainCount = 12_000, TestCount = 2_000, PointCount = 50_000, SignalCount = 4_000;

    private static readonly SortedDictionary<string, Func<int?, long, long, IDataset>> Procedural = new(StringComparer.OrdinalIgnoreCase)
    {
        ["strokes"] = (count, seed, first) => Strokes.Create(count ?? TrainCount, seed, first),
        ["shapes"] = (count, seed, first) => Shapes.Create(count ?? TrainCount, seed, first),
        ["shapes-by-color"] = (count, seed, first) => Shapes.Create(count ?? TrainCount, seed, first, byColor: true),
        ["moons"] = (count, seed, first) => Toys.Moons(count ?? PointCount, seed, first),
        ["swiss-roll"] = (count, seed, first) => Toys.SwissRoll(count ?? PointCount, seed, first),
        ["checkerboard"] = (count, seed, first) => Toys.Checkerboard(count ?? PointCount, seed, first),
        ["pinwheel"] = (count, seed, first) => Toys.Pinwheel(count ?? PointCount, seed, first),
        ["imbalanced"] = (count, seed, first) => Tables.Imbalanced(count ?? PointCount, seed, first),
        ["seasons"] = (count, seed, first) => SeasonalSeries.Create(count ?? TrainCount, seed, first),
        ["eight-gaussians"] = (count, seed, first) => Toys.EightGaussians(count ?? PointCount, seed, first),
        ["lesions"] = (count, seed, first) => Lesions.Create(count ?? SignalCount, seed, first),
        ["volatile-series"] = (count, seed, first) => VolatileSeries.Whole(count ?? TrainCount, seed, first),
        ["ecg"] = (count, seed, first) => Electrocardiogram.Create(count ?? SignalCount, seed: seed, first: first),
    };

    /// <summary>The names of the sets that need no file.</summary>
    public static IReadOnlyCollection<string> Names => Procedural.Keys;

    /// <summary>Opens a procedural set by its name, or a file or folder whose format is found from its content.</summary>
    /// <param name="spec">A name of <see cref="Names"/>, or a path: IDX, CIFAR records, CSV, .npy, .npz, an image, or a folder of IDX files, records or images.</param>
    /// <param name="options">Split, count, seed and what single formats need; null for the defaults.</param>
    /// <exception cref="ArgumentException">No set has this name, or an option is out of range.</exception>
    /// <exception cref="FileNotFoundException">The path leads nowhere.</exception>
    /// <exception cref="InvalidDataException">The content is of no known format, or unsound; one line says where and why.</exception>
    public static IDataset Open(string spec, DataOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(spec);
        options ??= new();
        if (options.Count is < 1) throw new ArgumentOutOfRangeException(nameof(options), options.Count, "Count: expected at least 1.");
        if (Procedural.TryGetValue(spec, out var create))
            return create(options.Count ?? (options.WantsTest ? TestCount : null), options.Seed, options.WantsTest ? TestFirst : 0);

        IDataset set = Directory.Exists(spec) ? OpenFolder(spec, options) : File.Exists(spec) ? OpenFile(spec, options) : throw NotFound(spec);
        if (options.Count is { } count && count < set.Count)
            set = new Subset(set, new SeededRandom(options.Seed, stream: 2).Permutation(set.Count)[..count]);
        return set;
    }

    private static ArrayDataset OpenFolder(string path, DataOptions options) =>
        Idx.IsFolder(path) ? Idx.Open(path, options)
        : Cifar.IsFolder(path) ? Cifar.Open(path, options)
        : !Directory.EnumerateFileSystemEntries(path).Any() ? throw new InvalidDataException($"{path}: the folder is empty")
        : ImageFolder.Open(path, options);

    private static ArrayDataset OpenFile(string path, DataOptions options)
    {
        byte[] head = Source.Head(path, 4096);
        var start = head.AsSpan();
        if (head.Length == 0) throw new InvalidDataException($"{path}: the file is empty");
        if (ImageFile.HasImageSignature(start)) return ImageFolder.OpenFile(path, options);
        if (start.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N']) || start.StartsWith("PK\x03\x04"u8)) return NumPyDataset.Open(path, options);
        if (head.Length >= 4 && head[0] == 0 && head[1] == 0 && head[2] is >= 8 and <= 14 && head[3] is >= 1 and <= 8) return Idx.Open(path, options);
        // Text has no control characters but tab, line feed and their like; pixels and labels nearly always have.
        if (start.IndexOfAnyInRange((byte)0, (byte)8) < 0 && start.IndexOfAnyInRange((byte)0x0e, (byte)0x1a) < 0) return Csv.Open(path, options);
        if (Path.GetFileName(path).Contains("idx", StringComparison.OrdinalIgnoreCase)) return Idx.Open(path, options);
        if (path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".bin.gz", StringComparison.OrdinalIgnoreCase)) return Cifar.Open(path, options);
        throw new InvalidDataException($"{path}: of no known format: expected IDX, CIFAR records (.bin), CSV, .npy, .npz, or an image; it begins with {Convert.ToHexString(head, 0, Math.Min(8, head.Length))}");
    }

    private static Exception NotFound(string spec)
    {
        if (spec.AsSpan().IndexOfAny("/\\.") >= 0) return new FileNotFoundException($"No file or folder '{spec}'.", spec);
        string nearest = Spelling.Nearest(spec.ToLowerInvariant(), Names);
        string hint = Spelling.Distance(nearest, spec.ToLowerInvariant()) <= Math.Max(2, nearest.Length / 3) ? $" Did you mean '{nearest}'?" : "";
        return new ArgumentException($"No data set, file or folder '{spec}'.{hint} Sets that need no file: {string.Join(", ", Names)}.", nameof(spec));
    }
}
