using System.Buffers;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>An open safetensors file whose tensors are read on demand.</summary>
/// <remarks>
/// The header is checked when the file is opened. Element types that libtorch lacks are widened: F8_E4M3 and F8_E5M2
/// to float16, F8_E8M0 to float32, U16 to int32, U32 and U64 to int64.
/// </remarks>
public sealed class SafeTensorsFile : IDisposable
{
    private const int ChunkElements = 1 << 24, ConvertElements = 1 << 18;
    private readonly SafeFileHandle handle;
    private readonly SafeTensorsHeader header;
    private readonly Dictionary<string, SafeTensorsEntry> entries;

    internal SafeTensorsFile(string path)
    {
        Path = path;
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            header = SafeTensorsHeader.Read(path, RandomAccess.GetLength(handle), (offset, target) => ReadAt(offset, target));
            entries = header.Entries.ToDictionary(e => e.Name);
            Names = [.. header.Entries.Select(e => e.Name)];
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path { get; }

    /// <summary>The names of the tensors, in the header's order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The free strings of the header; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Whether a tensor of this name is there.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>The shape of a tensor.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has this name.</exception>
    public IReadOnlyList<long> Shape(string name) => Entry(name).Shape;

    /// <summary>The element type that <see cref="Read"/> gives.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has this name.</exception>
    public ScalarType Type(string name) => Entry(name).Type.Torch;

    /// <summary>The element type as the file names it ("F32", "F8_E4M3", ...).</summary>
    /// <exception cref="KeyNotFoundException">No tensor has this name.</exception>
    public string FileType(string name) => Entry(name).Type.Name;

    /// <summary>Reads one tensor into new memory on the CPU; the caller owns it.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has this name.</exception>
    /// <exception cref="InvalidDataException">The file has been cut short since it was opened, or a U64 is beyond int64.</exception>
    public Tensor Read(string name)
    {
        var entry = Entry(name);
        var tensor = empty(entry.Shape, entry.Type.Torch);
        try
        {
            if (entry.End > entry.Begin) Fill(tensor, entry);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();

    private SafeTensorsEntry Entry(string name) =>
        entries.TryGetValue(name, out var entry) ? entry : throw new KeyNotFoundException($"{Path} has no tensor '{name}'.");

    // A span holds at most 2^31 − 1 bytes, so a large tensor is filled piece by piece.
    private void Fill(Tensor tensor, SafeTensorsEntry entry)
    {
        using var flat = tensor.view(-1);
        long count = flat.shape[0], step = entry.Type.IsConverted ? ConvertElements : ChunkElements;
        byte[]? raw = entry.Type.IsConverted ? ArrayPool<byte>.Shared.Rent(ConvertElements * entry.Type.Bytes) : null;
        try
        {
            for (long at = 0; at < count; at += step)
            {
                long n = Math.Min(step, count - at), offset = header.DataStart + entry.Begin + at * entry.Type.Bytes;
                using var part = flat.narrow(0, at, n);
                if (raw is null)
                    ReadAt(offset, part.bytes);
                else
                {
                    var source = raw.AsSpan(0, checked((int)n * entry.Type.Bytes));
                    ReadAt(offset, source);
                    entry.Type.Convert(source, part.bytes);
                }
            }
        }
        catch (InvalidDataException e) when (raw is not null)
        {
            throw new InvalidDataException($"{Path}: tensor '{entry.Name}': {e.Message}", e);
        }
        finally
        {
            if (raw is not null) ArrayPool<byte>.Shared.Return(raw);
        }
    }

    private void ReadAt(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            int n = RandomAccess.Read(handle, target, offset);
            if (n == 0) throw new InvalidDataException($"{Path}: the file ends at byte {offset}, within its data");
            target = target[n..];
            offset += n;
        }
    }
}
