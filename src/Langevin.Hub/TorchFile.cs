using System.IO.Compression;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// Reads the weights of PyTorch's own files (.pth, .pt, .ckpt, .bin), in the zip format since 1.6 and the older one, and of plain pickles (.pkl).
/// Tensors and NumPy's arrays in dictionaries, lists and modules are understood, and named as a state_dict does; nothing in a file is ever executed.
/// </summary>
/// <remarks>Modules as NVIDIA pickles them (EDM), with their source, are read for their weights: "ema.model.enc.16x16_conv.weight".</remarks>
public static class TorchFile
{
    private const int LegacyPreambles = 3, Deepest = 32, LongestPath = 4096, MostLooked = 1 << 17;
    private const long MostCopied = 32 << 20;
    private static ReadOnlySpan<byte> LegacyMagic => [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

    /// <summary>Whether a file begins as one of the formats does.</summary>
    public static bool Is(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[LegacyMagic.Length];
        int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return head[..read].StartsWith("PK\x03\x04"u8) || IsPickle(head[..read]);
    }

    // Protocols since Python 2.3.
    private static bool IsPickle(ReadOnlySpan<byte> head) => head is [0x80, >= 2 and <= 5, ..];

    /// <summary>Every tensor of a file by its path in the saved object ("state_dict.conv.weight"); the caller owns them.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">No such file, a damaged one, or one that holds more than tensors and plain values.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"No file '{path}'.", path);
        try
        {
            using var file = File.OpenRead(path);
            using var scope = NewDisposeScope();
            var tensors = new Dictionary<string, Tensor>();
            Span<byte> head = stackalloc byte[LegacyMagic.Length];
            int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            file.Position = 0;
            head = head[..read];
            if (head.StartsWith("PK\x03\x04"u8)) Zip(file, tensors);
            else
            {
                using var buffered = new BufferedStream(file, 1 << 16);
                Collect(head.SequenceEqual(LegacyMagic) ? Legacy(buffered, file.Length) : IsPickle(head) ? new Unpickler(buffered, []).Read()
                    : throw new InvalidDataException("it begins as none of its formats"), file.Length, tensors);
            }
            foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
            return tensors;
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or OverflowException or InvalidCastException or KeyNotFoundException
            or NullReferenceException or IndexOutOfRangeException or ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException($"{path}: not a sound PyTorch file of weights: {e.Message}", e);
        }
    }

    private static void Zip(Stream file, Dictionary<string, Tensor> tensors)
    {
        using var zip = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        var pickle = zip.Entries.FirstOrDefault(e => e.FullName.EndsWith("/data.pkl", StringComparison.Ordinal)) ?? throw new InvalidDataException("no data.pkl in the archive");
        string root = pickle.FullName[..^"data.pkl".Length];
        if (zip.GetEntry(root + "byteorder") is { } order && Word(order) is var endian && endian != "little") throw new InvalidDataException($"byte order '{endian}'");
        // PyTorch stores without compressing: what claims to unpack to more than is there is none of its files.
        Stream Stored(ZipArchiveEntry entry) => entry.Length == entry.CompressedLength && entry.Length <= file.Length ? entry.Open() : throw new InvalidDataException($"'{entry.FullName}' is compressed");
        var storages = new Dictionary<string, Storage>();
        object? saved;
        using (var stream = new BufferedStream(Stored(pickle))) saved = new Unpickler(stream, storages).Read();
        foreach (var storage in storages.Values)
        {
            var entry = zip.GetEntry($"{root}data/{storage.Key}") ?? throw new InvalidDataException($"storage '{storage.Key}' is missing");
            using var stream = Stored(entry);
            storage.Fill(entry.Length, stream);
        }
        Collect(saved, file.Length, tensors);
    }

    /// <summary>What a file of the older format, or a storage that is written as one, holds.</summary>
    /// <param name="stream">Stands at its beginning.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <param name="within">Whether it is within another file.</param>
    internal static object? Legacy(Stream stream, long length, bool within = false)
    {
        var head = new byte[LegacyMagic.Length];
        stream.ReadExactly(head);
        if (!head.AsSpan().SequenceEqual(LegacyMagic)) throw new InvalidDataException("neither of the two formats");
        // Protocol version and sizes of C types.
        for (int i = 1; i < LegacyPreambles; i++) _ = new Unpickler(stream, [], within).Read();
        var storages = new Dictionary<string, Storage>();
        var saved = new Unpickler(stream, storages, within).Read();
        var keys = (List<object?>)new Unpickler(stream, [], within).Read()!;
        var count = new byte[8];
        foreach (string key in keys.Cast<string>())
        {
            var storage = storages[key];
            stream.ReadExactly(count);
            long bytes = checked(BitConverter.ToInt64(count) * storage.Type.Size);
            if (bytes > length) throw new InvalidDataException($"storage '{key}' claims {bytes} bytes of a file of {length}");
            storage.Fill(bytes, stream);
        }
        return saved;
    }

    private static string Word(ZipArchiveEntry entry)
    {
        var bytes = new byte[8];
        using var stream = entry.Open();
        return System.Text.Encoding.ASCII.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
    }

    /// <summary>Tensors by their path in dictionaries, lists and modules; plain values are passed over.</summary>
    private static void Collect(object? saved, long fileLength, Dictionary<string, Tensor> tensors)
    {
        long room = fileLength + MostCopied;
        int looked = 0;
        Below(saved, "", 0);

        void Below(object? value, string path, int depth)
        {
            // A list that holds itself has no end, and one that holds another twice, and so on, as good as none.
            if (depth > Deepest || path.Length > LongestPath || ++looked > MostLooked) throw new InvalidDataException("it is nested too deeply");
            switch (value)
            {
                case SavedTensor tensor:
                    tensors[path] = tensor.ToTensor(ref room);
                    break;
                case SavedArray array:
                    tensors[path] = array.ToTensor(ref room);
                    break;
                case SavedDictionary or SavedObject:
                    foreach (var (key, item) in value is SavedObject o ? o.Content : ((SavedDictionary)value).Items) Below(item, path.Length == 0 ? $"{key}" : $"{path}.{key}", depth + 1);
                    break;
                case List<object?> list:
                    for (int i = 0; i < list.Count; i++) Below(list[i], path.Length == 0 ? $"{i}" : $"{path}.{i}", depth + 1);
                    break;
            }
        }
    }
}
