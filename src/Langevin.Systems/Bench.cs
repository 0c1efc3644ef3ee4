using System.Diagnostics;
using System.Text.Json;
using Langevin.Systems.Figures;
using Langevin.Systems.Reports;
using static TorchSharp.torch;

namespace Langevin.Systems;

/// <summary>How systems are run.</summary>
public sealed record BenchOptions
{
    /// <summary>How large.</summary>
    public Scale Scale { get; init; } = Scale.Quick;

    /// <summary>How many seeds, from 0 on.</summary>
    public int Seeds { get; init; } = 3;

    /// <summary>Whether what is there already is done again. Trained models are kept.</summary>
    public bool Fresh { get; init; }

    /// <summary>Folder of real data sets, or null.</summary>
    public string? Data { get; init; }

    /// <summary>Told how far a run is: the share of its arms and seeds that is done, the arm, the share of it and what it does.</summary>
    public Action<BenchProgress>? Progress { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="System">The system.</param>
/// <param name="Arm">The arm.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Done">Share of the arms and seeds that is done.</param>
/// <param name="Share">Share of the present work.</param>
/// <param name="What">The present work.</param>
public sealed record BenchProgress(string System, string Arm, long Seed, double Done, double Share, string What);

/// <summary>
/// Runs systems in a folder: every arm with every seed, each kept as soon as it is done, so that a run which was stopped goes on where
/// it was; then the comparison and a page.
/// </summary>
/// <param name="folder">Where everything is kept: models, and a folder for each system.</param>
public sealed class Bench(string folder)
{
    /// <summary>Where everything is kept.</summary>
    public string Folder => folder;

    /// <summary>The trial of a seed, for applying a system to a file.</summary>
    public Trial Trial(BenchOptions options, long seed = 0, Action<double, string>? report = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(options.Scale, seed, Path.Combine(folder, "models"), options.Data, report, cancellation);
    }

    /// <summary>Runs a system.</summary>
    public SystemResult Run(DiffusionSystem system, BenchOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Seeds, 1);
        if (system.Arms.Count == 0 || system.Arms[0].Role != ArmRole.Method) throw new InvalidOperationException($"'{system.Card.Id}' has no method as its first arm.");
        string place = Place(system.Card.Id, options.Scale);
        var outcomes = new Dictionary<(string Arm, long Seed), Outcome>();
        int all = options.Seeds * system.Arms.Count;
        for (long seed = 0; seed < options.Seeds; seed++)
            foreach (var arm in system.Arms)
            {
                double done = (double)outcomes.Count / all;
                outcomes[(arm.Name, seed)] = Once(system, arm, seed, options, place, (share, what) => options.Progress?.Invoke(new(system.Card.Id, arm.Name, seed, done, share, what)), cancellation);
            }
        var result = Conclude(system, options, outcomes);
        AtomicFile.WriteAllText(Path.Combine(place, "result.json"), result.ToJson());
        SystemPage.Write(Path.Combine(place, "index.html"), system, result, Shown(system, place));
        return result;
    }

    /// <summary>The last result of a system: of its full run, else of its quick one; null where there is none.</summary>
    public SystemResult? Last(string id)
    {
        foreach (var scale in new[] { Scale.Full, Scale.Quick })
            if (Path.Combine(Place(id, scale), "result.json") is var path && File.Exists(path)) return SystemResult.Parse(File.ReadAllText(path), path);
        return null;
    }

    /// <summary>Writes <c>systems.json</c> and <c>index.html</c> over everything that has been run.</summary>
    public void Report()
    {
        SystemResult[] results = [.. SystemRegistry.All.Select(s => Last(s.Card.Id)).OfType<SystemResult>()];
        AtomicFile.WriteAllText(Path.Combine(folder, "systems.json"), JsonSerializer.Serialize(results, SystemsJson.Default.IReadOnlyListSystemResult));
        Overview.Write(Path.Combine(folder, "index.html"), results);
    }

    private string Place(string id, Scale scale) => Path.Combine(folder, id, scale.ToString().ToLowerInvariant());

    private Outcome Once(DiffusionSystem system, Arm arm, long seed, BenchOptions options, string place, Action<double, string> report, CancellationToken cancellation)
    {
        string path = Path.Combine(place, $"seed-{seed}", FileName(arm.Name) + ".json");
        if (!options.Fresh && File.Exists(path)) return JsonSerializer.Deserialize(File.ReadAllText(path), SystemsJson.Default.Outcome)!;
        cancellation.ThrowIfCancellationRequested();
        var trial = Trial(options, seed, report, cancellation);
        var clock = Stopwatch.StartNew();
        Outcome outcome;
        using (NewDisposeScope()) outcome = arm.Run(trial) with { Seconds = clock.Elapsed.TotalSeconds };
        if (seed == 0)
            for (int i = 0; i < trial.Shown.Count; i++)
            {
                var figure = trial.Shown[i];
                string name = Path.Combine(place, $"{FileName(arm.Name)}-{i}");
                AtomicFile.WriteAllBytes($"{name}.{figure.Extension}", figure.Bytes);
                AtomicFile.WriteAllText($"{name}.txt", figure.Caption);
            }
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(outcome, SystemsJson.Default.Outcome));
        return outcome;
    }

    // The figures of the first seed, arm by arm, from their files: those of arms done earlier too.
    private static IEnumerable<(Arm Arm, Figure Figure)> Shown(DiffusionSystem system, string place) =>
        from arm in system.Arms
        from path in Directory.EnumerateFiles(place, FileName(arm.Name) + "-*.txt").Order(StringComparer.Ordinal)
        let file = new[] { "png", "svg", "text" }.Select(e => Path.ChangeExtension(path, e)).FirstOrDefault(File.Exists)
        where file is not null
        select (arm, new Figure(File.ReadAllText(path), Path.GetExtension(file)[1..], File.ReadAllBytes(file)));

    private static SystemResult Conclude(DiffusionSystem system, BenchOptions options, Dictionary<(string Arm, long Seed), Outcome> outcomes)
    {
        IReadOnlyList<Outcome> Of(Arm arm) => [.. Enumerable.Range(0, options.Seeds).Select(seed => outcomes[(arm.Name, seed)])];
        var method = Of(system.Arms[0]).Select(o => o.Score).ToArray();
        return new()
        {
            Id = system.Card.Id,
            Scale = options.Scale,
            Seeds = [.. Enumerable.Range(0, options.Seeds).Select(s => (long)s)],
            Arms = [.. system.Arms.Select(arm => new ArmResult(arm.Name, arm.Role, [.. Of(arm).Select(o => o.Score.Value)],
                Of(arm).SelectMany(o => o.Figures).GroupBy(f => f.Key).ToDictionary(g => g.Key, g => g.Average(f => f.Value)), [.. Of(arm).Select(o => o.Seconds)]))],
            Comparisons = [.. system.Arms.Skip(1).Select(arm => Comparison.Of(arm, system.Card.Metric.Better, method, [.. Of(arm).Select(o => o.Score)]))],
            Date = DateTime.UtcNow,
            Cores = Environment.ProcessorCount,
        };
    }

    private static string FileName(string arm) => string.Concat(arm.Select(c => char.IsAsciiLetterOrDigit(c) ? c.ToString() : c == ' ' ? "-" : $"_{(int)c:x}"));
}
