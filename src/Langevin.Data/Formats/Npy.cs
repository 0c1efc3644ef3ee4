using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>NumPy's array files: .npy (one array; .gz too) and .npz (a zip of them). Pickled objects are refused.</summary>
public static partial class Npy
{
    private const int MostHeaderBytes = 1 << 16, MostRank = 32, Chunk = 1 << 20;

    /// <summary>Reads a .npy file; shape and order of elements are NumPy's, whether it was stored in C or Fortran order.</summary>
    /// <returns>A tensor of the element type of the file; uint16 becomes int32 and uint32 int64, which libtorch lacks.</returns>
    /// <exception cref="InvalidDataException">The file is not .npy, truncated, holds objects, or exceeds the limit.</exception>
    public static Tensor Read(string path, long maxBytes = int.MaxValue)
    {
        using var stream = Source.Open(path);
        return Read(path, stream, stream is FileStream ? stream.Length : long.MaxValue, maxBytes);
    }

    /// <summary>Reads the arrays of a .npz file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">Which names to read; null for all.</param>
    /// <param name="maxBytes">Limit on the sum of the arrays' bytes, whatever the archive claims.</param>
    /// <exception cref="InvalidDataException">The archive or an array is unsound, or the limit is exceeded.</exception>
    public static IReadOnlyDictionary<string, Tensor> ReadZip(string path, Func<string, bool>? wanted = null, long maxBytes = int.MaxValue)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var arrays = new Dictionary<string, Tensor>();
        try
        {
            using var zip = new ZipArchive(file, ZipArchiveMode.Read);
            foreach (var entry in zip.Entries)
            {
                if (!entry.FullName.EndsWith(".npy", StringComparison.OrdinalIgnoreCase)) continue;
                string name = entry.FullName[..^4];
                if (arrays.ContainsKey(name)) throw new InvalidDataException($"{path}: two arrays are called '{name}'");
                if (wanted is not null && !wanted(name)) continue;
                using var stream = entry.Open();
                arrays[name] = Read($"{path} ({name})", stream, entry.Length, maxBytes);
                maxBytes -= arrays[name].numel() * arrays[name].element_size();
            }
            return arrays;
        }
        catch (Exception e)
        {
            foreach (var array in arrays.Values) array.Dispose();
            if (e is InvalidDataException && !e.Message.StartsWith(path, StringComparison.Ordinal)) throw new InvalidDataException($"{path}: damaged .npz archive: {e.Message}", e);
            throw;
        }
    }

    /// <summary>The names of the arrays in a .npz file.</summary>
    internal static string[] Names(string path)
    {
        var names = new List<string>();
        foreach (var array in ReadZip(path, n => { names.Add(n); return false; }).Values) array.Dispose();
        return [.. names];
    }

    // available: what the container says the stream holds, which may be a lie, but saves allocating for what cannot be there.
    private static Tensor Read(string where, Stream stream, long available, long maxBytes)
    {
        using var scope = NewDisposeScope();
        try
        {
            var (type, swap, fortran, shape) = Header(where, stream);
            var tensor = Allocate(where, type, fortran ? [.. shape.Reverse()] : shape, available, maxBytes);
            Fill(tensor, stream, swap ? Width(type) : 1);
            if (stream.ReadByte() >= 0) throw new InvalidDataException($"{where}: bytes follow the array of shape ({string.Join(", ", shape)})");
            tensor = type switch
            {
                "u2" => tensor.to(ScalarType.Int32).bitwise_and(0xffff),
                "u4" => tensor.to(ScalarType.Int64).bitwise_and(0xffffffffL),
                "b1" => tensor.ne(0),
                _ => tensor,
            };
            if (fortran) tensor = tensor.permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(d => (long)d)]).contiguous();
            return tensor.MoveToOuterDisposeScope();
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{where}: truncated .npy data");
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(where, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{where}: damaged compressed data: {e.Message}", e);
        }
    }

    private static (string Type, bool Swap, bool Fortran, long[] Shape) Header(string where, Stream stream)
    {
        var prefix = new byte[8];
        stream.ReadExactly(prefix);
        if (prefix[0] != 0x93 || !prefix.AsSpan(1, 5).SequenceEqual("NUMPY"u8)) throw new InvalidDataException($"{where}: not a .npy file: the magic is missing");
        if (prefix[6] is < 1 or > 3) throw new InvalidDataException($"{where}: version {prefix[6]} of .npy is not supported");
        var size = new byte[prefix[6] == 1 ? 2 : 4];
        stream.ReadExactly(size);
        uint length = prefix[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(size) : BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > MostHeaderBytes) throw new InvalidDataException($"{where}: a .npy header of {length} bytes is above the limit of {MostHeaderBytes}");
        var text = new byte[length];
        stream.ReadExactly(text);
        string header = Encoding.UTF8.GetString(text);

        var descr = Descr().Match(header);
        if (!descr.Success) throw new InvalidDataException($"{where}: arrays of records are not supported: the .npy header has no simple element type");
        string type = descr.Groups[2].Value;
        if (type.StartsWith('O')) throw new InvalidDataException($"{where}: holds pickled Python objects, which are not read");
        if (Width(type) == 0) throw new InvalidDataException($"{where}: element type '{descr.Groups[1].Value}{type}' is not supported: use f2, f4, f8, i1, i2, i4, i8, u1, u2, u4 or b1");
        var fortran = Fortran().Match(header);
        var shape = Shape().Match(header);
        if (!fortran.Success || !shape.Success) throw new InvalidDataException($"{where}: the .npy header has no fortran_order or shape");
        string[] dims = shape.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (dims.Length > MostRank) throw new InvalidDataException($"{where}: {dims.Length} dimensions are above {MostRank}");
        var sizes = dims.Select(d => long.TryParse(d, NumberStyles.None, CultureInfo.InvariantCulture, out long v) ? v
            : throw new InvalidDataException($"{where}: bad shape ({shape.Groups[1].Value}) in the .npy header")).ToArray();
        bool big = descr.Groups[1].Value == ">";
        return (type, big == BitConverter.IsLittleEndian && Width(type) > 1, fortran.Groups[1].Value == "True", sizes);
    }

    private static int Width(string type) => type switch
    {
        "f2" or "i2" or "u2" => 2,
        "f4" or "i4" or "u4" => 4,
        "f8" or "i8" => 8,
        "i1" or "u1" or "b1" => 1,
        _ => 0,
    };

    private static Tensor Allocate(string where, string type, long[] shape, long available, long maxBytes)
    {
        // In floating point, so that a shape that overflows is refused too; empty arrays keep their other dimensions honest.
        if (shape.Aggregate((double)Width(type), (n, s) => n * Math.Max(s, 1)) > maxBytes)
            throw new InvalidDataException($"{where}: an array of shape ({string.Join(", ", shape)}) is above the limit of {maxBytes:N0} bytes");
        if (shape.Aggregate((long)Width(type), (n, s) => n * s) > available) throw new InvalidDataException($"{where}: truncated .npy data");
        return empty(shape, type switch
        {
            "f2" => ScalarType.Float16, "f4" => ScalarType.Float32, "f8" => ScalarType.Float64,
            "i1" => ScalarType.Int8, "i2" or "u2" => ScalarType.Int16, "i4" or "u4" => ScalarType.Int32, "i8" => ScalarType.Int64,
            _ => ScalarType.Byte, // u1, b1
        });
    }

    private static void Fill(Tensor tensor, Stream stream, int swap)
    {
        using var flat = tensor.view(-1);
        long count = flat.shape[0];
        for (long at = 0; at < count; at += Chunk)
        {
            using var part = flat.narrow(0, at, Math.Min(Chunk, count - at));
            var bytes = part.bytes;
            stream.ReadExactly(bytes);
            switch (swap)
            {
                case 2: var s = MemoryMarshal.Cast<byte, short>(bytes); BinaryPrimitives.ReverseEndianness(s, s); break;
                case 4: var i = MemoryMarshal.Cast<byte, int>(bytes); BinaryPrimitives.ReverseEndianness(i, i); break;
                case 8: var l = MemoryMarshal.Cast<byte, long>(bytes); BinaryPrimitives.ReverseEndianness(l, l); break;
            }
        }
    }

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"]([<>|=]?)([A-Za-z]\d*)['"]""")]
    private static partial Regex Descr();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*(True|False)""")]
    private static partial Regex Fortran();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(([^)]*)\)""")]
    private static partial Regex Shape();
}
