using System.IO.Compression;

namespace Langevin.Data.Formats;

/// <summary>Reads files, gunzipped where they are gzip, never past a limit.</summary>
internal static class Source
{
    private const int GzipMostRatio = 1032; // deflate cannot expand more

    /// <summary>Opens a file for reading, through gunzip when it begins with gzip's two bytes.</summary>
    public static Stream Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return IsGzip(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>Up to <paramref name="count"/> bytes from the beginning, gunzipped.</summary>
    public static byte[] Head(string path, int count)
    {
        using var stream = Open(path);
        var head = new byte[count];
        int n = Guarded(path, () => stream.ReadAtLeast(head, count, throwOnEndOfStream: false));
        return head[..n];
    }

    /// <summary>The whole content, gunzipped.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or longer than <paramref name="maxBytes"/>.</exception>
    public static byte[] ReadAll(string path, long maxBytes)
    {
        long most = Math.Min(maxBytes, Array.MaxLength);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        bool gzip = IsGzip(file);
        if (file.Length > most) throw TooLong(path, most);
        using Stream stream = gzip ? new GZipStream(file, CompressionMode.Decompress) : file;
        var bytes = new byte[gzip ? Math.Min(most, Math.Max(256, Math.Min(file.Length * GzipMostRatio, StatedLength(file)))) : file.Length];
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

    private static bool IsGzip(FileStream file)
    {
        bool gzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return gzip;
    }

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

    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: damaged gzip data: {e.Message}", e);
        }
    }
}
