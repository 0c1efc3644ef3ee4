using System.Buffers.Binary;
using System.Globalization;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>
/// The IDX format of MNIST and its relatives: two zero bytes, the element type (8: unsigned byte), the number of dimensions,
/// each dimension as a big-endian int32, then the elements.
/// </summary>
public static class Idx
{
    private static readonly string[] Fashion = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Reads one IDX file of unsigned bytes (.gz too).</summary>
    /// <returns>uint8, shaped as the file says.</returns>
    /// <exception cref="InvalidDataException">The file is not IDX, of another element type, truncated, or longer than it says.</exception>
    public static Tensor Read(string path, long maxBytes = int.MaxValue)
    {
        byte[] bytes = Source.ReadAll(path, maxBytes);
        if (bytes.Length < 4) throw new InvalidDataException($"{path}: {bytes.Length} bytes are too few for an IDX header");
        if (bytes[0] != 0 || bytes[1] != 0) throw new InvalidDataException($"{path}: not an IDX file: it begins with {Convert.ToHexString(bytes, 0, 4)}, not 0000");
        if (bytes[2] != 8) throw new InvalidDataException($"{path}: IDX element type 0x{bytes[2]:x2} is not supported: only unsigned bytes (0x08)");
        int rank = bytes[3], start = 4 + 4 * rank;
        if (rank is 0 or > 8) throw new InvalidDataException($"{path}: an IDX file of {rank} dimensions: expected 1 to 8");
        if (bytes.Length < start) throw new InvalidDataException($"{path}: the IDX header is truncated");
        var shape = new long[rank];
        long count = 1;
        for (int d = 0; d < rank; d++)
        {
            shape[d] = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 + 4 * d));
            // Saturating: a product beyond any file needs no exact value.
            count = shape[d] == 0 ? 0 : count > long.MaxValue / shape[d] ? long.MaxValue : count * shape[d];
        }
        long there = bytes.Length - start;
        if (count == 0) throw new InvalidDataException($"{path}: holds no items: its shape is {string.Join("×", shape)}");
        if (there != count) throw new InvalidDataException($"{path}: the header promises {string.Join("×", shape)} bytes, but {there} follow: {(there < count ? "truncated" : "trailing bytes")}");
        using var flat = frombuffer(bytes, ScalarType.Byte, count, start);
        return flat.view(shape);
    }

    /// <summary>Reads an image file with its label file (found by its standard name) or a folder of such pairs.</summary>
    /// <param name="path">A file such as <c>t10k-images-idx3-ubyte.gz</c>, or the folder it lies in.</param>
    /// <param name="options">Which split of a folder, memory limit.</param>
    /// <exception cref="InvalidDataException">A file is unsound, or the numbers of images and labels differ.</exception>
    public static ArrayDataset Open(string path, DataOptions? options = null)
    {
        options ??= new();
        string file = Directory.Exists(path)
            ? Choose(path, options) ?? throw new InvalidDataException($"{path}: no IDX image files (such as train-images-idx3-ubyte.gz) in this folder")
            : path;
        string name = Path.GetFileName(file);
        if (name.Contains("labels", StringComparison.OrdinalIgnoreCase))
            file = Partner(file, "labels", "images", "idx1", "idx3") ?? throw new InvalidDataException($"{path}: holds labels, and there is no image file beside it");

        using var scope = NewDisposeScope();
        var images = Read(file, options.MaxBytes);
        if (images.dim() != 3) throw new InvalidDataException($"{file}: images have {images.dim()} dimensions: expected 3 (items, rows, columns)");
        bool emnist = name.StartsWith("emnist", StringComparison.OrdinalIgnoreCase);
        // EMNIST's images are stored column by column.
        images = (emnist ? images.transpose(1, 2).contiguous() : images).unsqueeze(1);

        Tensor? labels = null;
        string[]? names = null;
        if (Partner(file, "images", "labels", "idx3", "idx1") is { } labelFile)
        {
            labels = Read(labelFile, options.MaxBytes).to(ScalarType.Int64);
            if (labels.dim() != 1) throw new InvalidDataException($"{labelFile}: labels have {labels.dim()} dimensions: expected 1");
            if (labels.shape[0] != images.shape[0]) throw new InvalidDataException($"{labelFile}: {labels.shape[0]} labels for the {images.shape[0]} images in {Path.GetFileName(file)}");
            // Some sets (EMNIST letters) count classes from 1.
            long first = Math.Min(labels.min().item<long>(), 1), classes = labels.max().item<long>() - first + 1;
            if (first == 1) labels = labels - 1;
            names = Path.GetFullPath(file).Contains("fashion", StringComparison.OrdinalIgnoreCase) && classes <= 10
                ? Fashion : [.. Enumerable.Range((int)first, (int)Math.Max(classes, emnist ? 1 : 10)).Select(c => c.ToString(CultureInfo.InvariantCulture))];
        }
        return new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), images.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope(), names) { Kind = "IDX images" };
    }

    /// <summary>Whether a folder holds IDX image files.</summary>
    internal static bool IsFolder(string folder) => ImageFiles(folder).Any();

    private static IEnumerable<string> ImageFiles(string folder) => Directory.EnumerateFiles(folder)
        .Where(f => Path.GetFileName(f) is var n && n.Contains("images", StringComparison.OrdinalIgnoreCase) && n.Contains("idx3", StringComparison.OrdinalIgnoreCase))
        .Order(StringComparer.Ordinal);

    private static string? Choose(string folder, DataOptions options)
    {
        string[] files = [.. ImageFiles(folder)];
        if (files.Length == 0) return null;
        bool IsTest(string f) => Path.GetFileName(f) is var n && (n.Contains("t10k", StringComparison.OrdinalIgnoreCase) || n.Contains("test", StringComparison.OrdinalIgnoreCase));
        string? train = files.FirstOrDefault(f => !IsTest(f)), test = files.FirstOrDefault(IsTest);
        return options.Split is null ? train ?? test
            : (options.WantsTest ? test : train) ?? throw new InvalidDataException($"{folder}: no {options.Split} images here, only {Path.GetFileName(files[0])}");
    }

    private static string? Partner(string file, string from, string to, string fromIdx, string toIdx)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!, name = Path.GetFileName(file);
        if (!name.Contains(from, StringComparison.OrdinalIgnoreCase)) return null;
        string other = name.Replace(from, to, StringComparison.OrdinalIgnoreCase).Replace(fromIdx, toIdx, StringComparison.OrdinalIgnoreCase);
        string bare = other.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? other[..^3] : other;
        return new[] { other, bare, bare + ".gz" }.Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);
    }
}
