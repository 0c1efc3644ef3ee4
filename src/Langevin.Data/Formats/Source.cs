using System.IO.Compression;
using SharpCompress.Common;
using SharpCompress.Compressors.Xz;

namespace Langevin.Data.Formats;

/// <summary>Reads files, unpacked where they are gzip or xz, never past a limit.</summary>
internal static class Source
{
    private const int GzipMostRatio = 1032; // deflate cannot expand more

    /// <summary>Opens a file for reading, unpacked when it begins as gzip or xz does.</summary>
    public static Stream Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return Unpacked(file, PackingOf(file));
    }

    /// <summary>Up to <paramref name="count"/> bytes from the beginning, unpacked.</summary>
    public static byte[] Head(string path, int count)
    {
        using var stream = Open(path);
        var head = new byte[count];
        int n = Guarded(path, () => stream.ReadAtLeast(head, count, throwOnEndOfStream: false));
        return head[..n];
    }

    /// <summary>The whole content, unpacked.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or longer than <paramref name="maxBytes"/>.</exception>
    public static byte[] ReadAll(string path, long maxBytes)
    {
        long most = Math.Min(maxBytes, Array.MaxLength);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        var packing = PackingOf(file);
        if (file.Length > most) throw TooLong(path, most);
        using var stream = Unpacked(file, packing);
        var bytes = new byte[packing switch
        {
            Packing.Gzip => Math.Min(most, Math.Max(256, Math.Min(file.Length * GzipMostRatio, StatedLength(file)))),
            Packing.Xz => Math.Min(most, 4 * file.Length),
            _ => file.Length,
        }];
        int length = 0;
        while (true)
        {
            int n = Guarded(path, () => stream.ReadAtLeast(bytes.AsSpan(length), bytes.Length - length, throwOnEndOfStream: false));
            length += n;
            if (length < bytes.Length) break;
            int next = Guarded(path, stream.ReadByte);
            if (next < 0) break;
            if (length >= most) throw TooLong(path, most);
            Array.Resize(ref bytes, (int)Math.Min(most, Math.Max(256, 2L * bytes.Length)));
            bytes[length++] = (byte)next;
        }
        Array.Resize(ref bytes, length);
        return bytes;
    }

    public static InvalidDataException TooLong(string path, long most) =>
        new($"{path}: the content is above the limit of {most:N0} bytes");

    private enum Packing { None, Gzip, Xz }

    private static Packing PackingOf(FileStream file)
    {
        Span<byte> head = stackalloc byte[6];
        int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return head[..read].StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]) ? Packing.Gzip
            : head[..read].SequenceEqual((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? Packing.Xz : Packing.None;
    }

    private static Stream Unpacked(FileStream file, Packing packing) => packing switch
    {
        Packing.Gzip => new GZipStream(file, CompressionMode.Decompress),
        Packing.Xz => new XZStream(file),
        _ => file,
    };

    // gzip's last four bytes: the length before compression, modulo 2^32; only a hint.
    private static long StatedLength(FileStream file)
    {
        Span<byte> tail = stackalloc byte[4];
        if (file.Length < 18) return 0;
        file.Position = file.Length - 4;
        file.ReadExactly(tail);
        file.Position = 0;
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(tail);
    }

    /// <summary>A read whose faults of packing name the file.</summary>
    /// <exception cref="InvalidDataException">The packed data are damaged.</exception>
    public static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or SharpCompressException or EndOfStreamException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{path}: damaged packed data: {e.Message}", e);
        }
    }
}
