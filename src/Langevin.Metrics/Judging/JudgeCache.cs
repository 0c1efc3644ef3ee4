using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>A folder of trained judges, one file each, named by a hash of the data and of how the judge was made.</summary>
public sealed class JudgeCache
{
    private readonly string? folder;

    private JudgeCache(string? folder) => this.folder = folder;

    /// <summary>Keeps nothing.</summary>
    public static JudgeCache None { get; } = new(null);

    /// <summary><c>$XDG_CACHE_HOME/langevin/judges</c>, else <c>.cache/langevin/judges</c> in the user's home folder.</summary>
    public static JudgeCache Default { get; } = In(Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given && Path.IsPathRooted(given)
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "langevin", "judges"));

    /// <summary>A cache in a given folder, made on the first write.</summary>
    public static JudgeCache In(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return new(Path.GetFullPath(folder));
    }

    /// <summary>The tensors of an entry; null where it is absent or not readable, so that the judge is made again.</summary>
    internal IReadOnlyDictionary<string, Tensor>? Find(string key)
    {
        if (folder is null || !File.Exists(FileOf(key))) return null;
        try
        {
            return SafeTensors.Load(FileOf(key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Writes an entry; a full disk or a read-only folder only means that the next run trains again.</summary>
    /// <returns>Whether it was kept.</returns>
    internal bool Keep(string key, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        if (folder is null) return false;
        try
        {
            SafeTensors.Save(FileOf(key), tensors, new Dictionary<string, string> { ["format"] = "pt" });
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string FileOf(string key) => Path.Combine(folder!, key + ".safetensors");
}
