using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Metrics;

namespace Langevin.Cli.Evaluation;

/// <summary>One measured number.</summary>
/// <param name="Name">"fid".</param>
/// <param name="Value">The number.</param>
/// <param name="Interval">How much other samples would move it; null where no interval is given.</param>
/// <param name="Note">What else belongs to it: "100 subsets of 1000".</param>
internal sealed record Measured(string Name, double Value, Interval? Interval = null, string? Note = null);

/// <summary>The result of comparing two folders.</summary>
internal sealed record FolderReport
{
    public required string Kind { get; init; }
    public required long Real { get; init; }
    public required long Fake { get; init; }

    /// <summary>Name and hash of every network behind the numbers.</summary>
    public IReadOnlyList<(string Name, string Hash)> Networks { get; init; } = [];
    public required IReadOnlyList<Measured> Measures { get; init; }
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public string ToJson(FolderRequest request)
    {
        var report = new JsonObject
        {
            ["kind"] = Kind,
            ["real"] = new JsonObject { ["path"] = request.Real, ["count"] = Real },
            ["fake"] = new JsonObject { ["path"] = request.Fake, ["count"] = Fake },
            ["networks"] = new JsonArray([.. Networks.Select(n => new JsonObject { ["name"] = n.Name, ["hash"] = n.Hash })]),
            ["measures"] = new JsonArray([.. Measures.Select(Node)]),
            ["seed"] = request.Seed,
            ["warnings"] = new JsonArray([.. Warnings.Select(w => JsonValue.Create(w))]),
        };
        return report.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    public IEnumerable<IReadOnlyList<string>> Rows()
    {
        foreach (var m in Measures)
            yield return [m.Name, $"{m.Value:g6}", m.Interval is { } i ? $"[{i.Low:g5}, {i.High:g5}]" : "", m.Note ?? ""];
        yield return ["samples", $"{Real} real, {Fake} generated", "", Kind];
        foreach (var (name, hash) in Networks) yield return ["network", name, "", hash];
        foreach (string warning in Warnings) yield return ["warning", warning, "", ""];
    }

    private static JsonObject Node(Measured m)
    {
        var node = new JsonObject { ["name"] = m.Name, ["value"] = Number(m.Value) };
        if (m.Interval is { } i) (node["low"], node["high"], node["level"]) = (Number(i.Low), Number(i.High), i.Level);
        if (m.Note is { } note) node["note"] = note;
        return node;
    }

    // JSON has no infinities: the PSNR of equal images is null.
    private static JsonValue? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}
