using System.Text.RegularExpressions;

namespace Langevin.Hub;

/// <summary>
/// Where the public hub's own tools keep what they have downloaded: <c>models--owner--name</c> with <c>blobs</c>, named by their hash,
/// <c>snapshots</c> of commits, whose files are links to blobs, and <c>refs</c>, which say what commit a branch is.
/// </summary>
/// <param name="folder">The cache's folder.</param>
public sealed partial class HubCache(string folder)
{
    /// <summary>The cache of this machine's user: <c>HF_HUB_CACHE</c>, else <c>hub</c> in <c>HF_HOME</c>, else <c>~/.cache/huggingface/hub</c>.</summary>
    public static HubCache Default => new(Environment.GetEnvironmentVariable("HF_HUB_CACHE") is { Length: > 0 } own ? own : Path.Combine(Home, "hub"));

    internal static string Home => Environment.GetEnvironmentVariable("HF_HOME") is { Length: > 0 } home ? home
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "huggingface");

    /// <summary>The cache's folder.</summary>
    public string Folder => folder;

    /// <summary>Whether a text is a model's name, "owner/name".</summary>
    public static bool IsName(string text) => Name().IsMatch(text);

    /// <summary>The folder of a model as it was last downloaded; null where it is not there.</summary>
    /// <param name="model">"owner/name".</param>
    /// <param name="revision">A branch, tag or commit.</param>
    public string? Find(string model, string revision = "main")
    {
        string reference = Path.Combine(Model(model), "refs", Safe(revision));
        string commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        string snapshot = Path.Combine(Model(model), "snapshots", Safe(commit));
        return Directory.Exists(snapshot) ? snapshot : null;
    }

    internal string Model(string model) => IsName(model) ? Path.Combine(folder, "models--" + model.Replace("/", "--", StringComparison.Ordinal))
        : throw new ArgumentException($"'{model}' is no model's name: it is written owner/name, with letters, digits, '-', '_' and '.'.", nameof(model));

    internal string Blob(string model, string hash) => Path.Combine(Model(model), "blobs", Safe(hash));

    /// <summary>Makes a snapshot's file of a blob.</summary>
    internal void Link(string model, string commit, string file, string hash)
    {
        string path = Path.Combine(Model(model), "snapshots", Safe(commit), Inside(file)), blob = Blob(model, hash);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path)) return;
        if (new FileInfo(path).LinkTarget is not null) File.Delete(path); // to a blob that is gone
        try
        {
            File.CreateSymbolicLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, blob));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !File.Exists(path))
        {
            File.Copy(blob, path); // where links are not allowed
        }
    }

    internal void Name(string model, string revision, string commit) => AtomicFile.WriteAllText(Path.Combine(Model(model), "refs", Safe(revision)), commit);

    /// <summary>A file's path within a model, which must not lead out of it.</summary>
    /// <exception cref="InvalidDataException">It does.</exception>
    internal static string Inside(string file) => file.Length > 0 && file.Length < 1024 && !file.Contains('\\', StringComparison.Ordinal) && !file.Contains(':', StringComparison.Ordinal)
        && file.Split('/').All(p => p.Length > 0 && p is not ("." or "..")) ? file.Replace('/', Path.DirectorySeparatorChar)
        : throw new InvalidDataException($"The hub names a file '{file}', which is no path within a model.");

    private static string Safe(string part) => Single().IsMatch(part) && part is not ("." or "..") ? part : throw new ArgumentException($"'{part}' is no revision, commit or hash.");

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$")]
    private static partial Regex Name();

    [GeneratedRegex(@"^[\w.-]{1,200}$")]
    private static partial Regex Single();
}
