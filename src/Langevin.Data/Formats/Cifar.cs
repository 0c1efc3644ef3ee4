using System.Globalization;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>
/// The binary versions of CIFAR-10 and CIFAR-100: records of one label byte (two in CIFAR-100: coarse, then fine) and
/// 3,072 bytes of a 32×32 image, plane after plane.
/// </summary>
public static class Cifar
{
    private const int Pixels = 3 * 32 * 32;

    /// <summary>Reads a record file (.gz too), or a folder of them; names come from <c>batches.meta.txt</c> or <c>fine_label_names.txt</c> beside it.</summary>
    /// <param name="path">A file such as <c>data_batch_1.bin</c>, or the folder.</param>
    /// <param name="options">Which split of a folder, memory limit.</param>
    /// <exception cref="InvalidDataException">A file's length or labels are not those of CIFAR records.</exception>
    public static ArrayDataset Open(string path, DataOptions? options = null)
    {
        options ??= new();
        bool folder = Directory.Exists(path);
        string[] files = folder ? Choose(path, options) : [path];
        if (files.Length == 0) throw new InvalidDataException($"{path}: no CIFAR record files (such as data_batch_1.bin) in this folder");
        using var scope = NewDisposeScope();
        var parts = files.Select(f => Records(f, options.MaxBytes)).ToArray();
        if (parts.FirstOrDefault(p => p.Classes != parts[0].Classes) is { Classes: > 0 }) throw new InvalidDataException($"{path}: files of CIFAR-10 and CIFAR-100 together");
        if (parts.Sum(p => p.Images.numel()) > options.MaxBytes) throw Source.TooLong(path, options.MaxBytes);
        int classes = parts[0].Classes;
        return new(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), cat([.. parts.Select(p => p.Images)], 0).MoveToOuterDisposeScope(),
            cat([.. parts.Select(p => p.Labels)], 0).MoveToOuterDisposeScope(),
            Names(folder ? path : Path.GetDirectoryName(Path.GetFullPath(path))!, classes)) { Kind = $"CIFAR-{classes} records" };
    }

    /// <summary>Whether a folder holds record files.</summary>
    internal static bool IsFolder(string folder) => RecordFiles(folder).Any();

    private static (Tensor Images, Tensor Labels, int Classes) Records(string path, long maxBytes)
    {
        byte[] bytes = Source.ReadAll(path, maxBytes);
        foreach (int classes in new[] { 10, 100 })
        {
            int header = classes == 10 ? 1 : 2;
            if (bytes.Length == 0 || bytes.Length % (Pixels + header) != 0) continue;
            using var flat = frombuffer(bytes, ScalarType.Byte);
            var records = flat.view(-1, Pixels + header);
            var labels = records.select(1, header - 1).to(ScalarType.Int64);
            long largest = labels.max().item<long>();
            if (largest >= classes)
            {
                if (bytes.Length % (Pixels + 2) == 0 && classes == 10) continue;
                throw new InvalidDataException($"{path}: label {largest} in CIFAR-{classes} records: expected 0..{classes - 1}");
            }
            return (records.narrow(1, header, Pixels).view(-1, 3, 32, 32).contiguous(), labels, classes);
        }
        throw new InvalidDataException($"{path}: {bytes.Length} bytes are not a whole number of CIFAR records (of {Pixels + 1} or {Pixels + 2} bytes): truncated, or another format");
    }

    private static IEnumerable<string> RecordFiles(string folder) => Directory.EnumerateFiles(folder)
        .Where(f => f.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) || f.EndsWith(".bin.gz", StringComparison.OrdinalIgnoreCase))
        .Order(StringComparer.Ordinal);

    private static string[] Choose(string folder, DataOptions options)
    {
        string[] files = [.. RecordFiles(folder)];
        bool IsTest(string f) => Path.GetFileName(f).Contains("test", StringComparison.OrdinalIgnoreCase);
        string[] train = [.. files.Where(f => !IsTest(f))], test = [.. files.Where(IsTest)];
        if (options.Split is null) return train.Length > 0 ? train : test;
        var chosen = options.WantsTest ? test : train;
        return chosen.Length > 0 || files.Length == 0 ? chosen : throw new InvalidDataException($"{folder}: no {options.Split} records here, only {Path.GetFileName(files[0])}");
    }

    private static string[] Names(string folder, int classes)
    {
        foreach (string file in new[] { "batches.meta.txt", "fine_label_names.txt" }.Select(n => Path.Combine(folder, n)).Where(File.Exists))
        {
            string[] names = [.. File.ReadLines(file).Take(1000).Select(l => l.Trim()).Where(l => l.Length > 0)];
            if (names.Length == classes) return names;
        }
        return [.. Enumerable.Range(0, classes).Select(c => c.ToString(CultureInfo.InvariantCulture))];
    }
}
