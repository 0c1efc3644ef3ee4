using System.Text.Json.Nodes;

namespace Langevin.Cli.Runs;

/// <summary>The folder a training run writes, and where its parts lie.</summary>
internal sealed class RunFolder
{
    private RunFolder(string path) => Path = path;

    public string Path { get; }
    public string Recipe => Part("recipe.json");
    public string Metrics => Part("metrics.jsonl");
    public string Checkpoint => Part("checkpoint.safetensors");
    public string Model => Part("model");
    public string Samples => Part("samples.png");
    public string Report => Part("report.html");
    public string Result => Part("report.json");
    public string Grid(long step) => System.IO.Path.Combine(Path, "samples", $"step-{step:d6}.png");

    /// <summary>A new folder; the default name gets a number when it is taken, a name that was asked for must be free.</summary>
    public static RunFolder Create(string? asked, string name)
    {
        string path = asked ?? System.IO.Path.Combine("runs", name);
        if (asked is null)
            for (int i = 2; IsTaken(path); i++) path = System.IO.Path.Combine("runs", $"{name}-{i}");
        else if (IsTaken(path))
            throw new IOException($"'{path}' already holds files. Give another --out, or continue its run with --resume {path}.");
        Directory.CreateDirectory(path);
        string probe = System.IO.Path.Combine(path, $".probe-{Guid.NewGuid():N}");
        File.WriteAllText(probe, ""); // a read-only folder or a full disk is better known before the work than after
        File.Delete(probe);
        return new(path);
    }

    /// <summary>The folder of a run that stopped.</summary>
    public static RunFolder Open(string path)
    {
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"There is no run folder '{path}' to resume.");
        var folder = new RunFolder(path);
        if (!File.Exists(folder.Recipe)) throw new InvalidDataException($"'{path}' is no run folder: it has no recipe.json.");
        if (!File.Exists(folder.Checkpoint)) throw new InvalidDataException($"'{path}' has no checkpoint yet: start the run again.");
        return folder;
    }

    /// <summary>Appends one line to the run's metrics.</summary>
    public void Log(JsonObject entry) => File.AppendAllText(Metrics, entry.ToJsonString() + "\n");

    /// <summary>Drops what was logged after a step, as a resumed run will log it again.</summary>
    public void TrimLog(long step)
    {
        if (!File.Exists(Metrics)) return;
        var kept = File.ReadLines(Metrics).Where(line => JsonNode.Parse(line)?["step"]?.GetValue<long>() <= step).ToList();
        AtomicFile.WriteAllText(Metrics, string.Concat(kept.Select(l => l + "\n")));
    }

    /// <summary>The logged entries.</summary>
    public IReadOnlyList<JsonObject> Entries() => File.Exists(Metrics) ? [.. File.ReadLines(Metrics).Select(l => JsonNode.Parse(l)!.AsObject())] : [];

    private string Part(string name) => System.IO.Path.Combine(Path, name);

    private static bool IsTaken(string path) => File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any());
}
