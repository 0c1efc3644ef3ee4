using System.Security.Cryptography;

namespace Langevin.Native;

/// <summary>Keeps changed copies of native libraries in a folder of the user's, named by the original's SHA-256.</summary>
internal static class NativeCache
{
    /// <summary>Makes the changed copy unless it is there already, and loads it.</summary>
    /// <param name="original">The library to change.</param>
    /// <param name="change">Its new bytes from its old ones; must be deterministic.</param>
    /// <param name="folder">The cache; where null or not writable, the copy lives in a private temporary folder until loaded.</param>
    /// <param name="load">Loads a file.</param>
    /// <returns>What <paramref name="load"/> gave, and the file it was given.</returns>
    public static (T loaded, string path) Use<T>(string original, Func<byte[], byte[]> change, string? folder, Func<string, T> load)
    {
        byte[] before = File.ReadAllBytes(original), after = change(before);
        string key = Convert.ToHexStringLower(SHA256.HashData(before)), name = Path.GetFileName(original);
        if (folder is not null && Store(Path.Combine(folder, key), name, after) is { } kept) return (load(kept), kept);
        // CreateTempSubdirectory is the user's alone, so nobody can put another library in the copy's place.
        var temporary = Directory.CreateTempSubdirectory("langevin-");
        try
        {
            string path = Path.Combine(temporary.FullName, name);
            File.WriteAllBytes(path, after);
            return (load(path), path);
        }
        finally
        {
            temporary.Delete(recursive: true); // the mapping outlives the name
        }
    }

    /// <summary>The stored copy's path, or null where the folder does not take it.</summary>
    public static string? Store(string folder, string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        try
        {
            if (!Holds(path, content)) AtomicFile.WriteAllBytes(path, content);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A copy cut short by a full disk or changed since is not used.</summary>
    private static bool Holds(string path, byte[] content) =>
        File.Exists(path) && new FileInfo(path).Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);
}
