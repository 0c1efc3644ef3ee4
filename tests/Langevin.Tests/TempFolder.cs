namespace Langevin.Tests;

/// <summary>A folder of its own for one test, removed afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("langevin-test-").FullName;

    /// <summary>A path inside, whose folder exists.</summary>
    public string this[string relative]
    {
        get
        {
            string path = System.IO.Path.Combine(Path, relative);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            return path;
        }
    }

    /// <summary>Writes a file inside and returns its path.</summary>
    public string Write(string relative, byte[] bytes)
    {
        string path = this[relative];
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Writes a text file inside and returns its path.</summary>
    public string Write(string relative, string text) => Write(relative, System.Text.Encoding.UTF8.GetBytes(text));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
