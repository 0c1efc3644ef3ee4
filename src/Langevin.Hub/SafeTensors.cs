using System.Text;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Reads and writes safetensors files: a JSON header, then the raw little-endian elements of every tensor.</summary>
/// <remarks>
/// Files are not trusted: the header is bounded, and its names, shapes and offsets are checked against the file's length
/// before anything is allocated.
/// </remarks>
public static class SafeTensors
{
    /// <summary>Reads every tensor of a file into memory; the caller owns the tensors.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is not a sound safetensors file.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path)
    {
        using var file = Open(path);
        var tensors = new Dictionary<string, Tensor>(file.Names.Count);
        try
        {
            foreach (string name in file.Names) tensors[name] = file.Read(name);
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file and checks its header; tensors are read on demand.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is not a sound safetensors file.</exception>
    public static SafeTensorsFile Open(string path) => new(path);

    /// <summary>Reads the free strings of a header and nothing else; empty when there are none.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is not a sound safetensors file.</exception>
    public static IReadOnlyDictionary<string, string> LoadMetadata(string path)
    {
        using var file = Open(path);
        return file.Metadata;
    }

    /// <summary>Writes tensors in the format's canonical order (widest element type first, then by name), atomically.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="tensors">Names and tensors of any strides and device. Only one that is not contiguous on the CPU is copied, one at a time.</param>
    /// <param name="metadata">Free strings for the header; Python's loaders expect <c>format: pt</c>.</param>
    /// <exception cref="ArgumentException">A name is empty, reserved or twice there, or an element type has no place in the format.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; an older file stays as it was.</exception>
    public static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var parts = tensors
            .Select(t => (t.Key, Tensor: t.Value, Type: SafeTensorsType.Of(t.Value.dtype)
                ?? throw new ArgumentException($"Tensor '{t.Key}' has the element type {t.Value.dtype}, which safetensors cannot hold.", nameof(tensors))))
            .OrderByDescending(t => t.Type.Rank).ThenBy(t => t.Key, Utf8Order.Instance).ToArray();
        var entries = new SafeTensorsEntry[parts.Length];
        long at = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            var (name, tensor, type) = parts[i];
            if (name is "" or SafeTensorsHeader.MetadataKey) throw new ArgumentException($"'{name}' cannot name a tensor.", nameof(tensors));
            entries[i] = new(name, type, tensor.shape, at, at += tensor.numel() * type.Bytes);
        }
        if (entries.CountBy(e => e.Name).FirstOrDefault(e => e.Value > 1).Key is { } twice)
            throw new ArgumentException($"The name '{twice}' is given twice.", nameof(tensors));

        AtomicFile.Write(path, stream =>
        {
            stream.Write(SafeTensorsHeader.Write(entries, metadata));
            foreach (var (_, tensor, _) in parts) WriteData(stream, tensor);
        });
    }

    private static void WriteData(FileStream stream, Tensor tensor)
    {
        const int chunk = 1 << 24;
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        long count = flat.shape[0];
        for (long i = 0; i < count; i += chunk)
        {
            using var part = flat.narrow(0, i, Math.Min(chunk, count - i));
            stream.Write(part.bytes);
        }
    }

    /// <summary>Order of the names' UTF-8 bytes, as the format's own writer sorts them.</summary>
    private sealed class Utf8Order : IComparer<string>
    {
        public static readonly Utf8Order Instance = new();

        public int Compare(string? x, string? y) => Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!));
    }
}
