namespace Langevin;

/// <summary>Writes files so that a reader finds the old content or the new one, never a part.</summary>
public static class AtomicFile
{
    /// <summary>Writes under a temporary name in the same folder, flushes to disk, then renames over <paramref name="path"/>.</summary>
    /// <param name="path">The file to create or replace; its folder is created when missing.</param>
    /// <param name="write">Writes the content. When it throws, the temporary file is removed and the old file stays.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder or file is read-only.</exception>
    public static void Write(string path, Action<FileStream> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes bytes; see <see cref="Write"/>.</summary>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) => Write(path, s => s.Write(bytes.Span));

    /// <summary>Writes UTF-8 text without a byte-order mark; see <see cref="Write"/>.</summary>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(text));
}
