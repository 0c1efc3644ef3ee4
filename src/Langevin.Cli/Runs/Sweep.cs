using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Hub;

namespace Langevin.Cli.Runs;

/// <summary>One model judged under several samplers and numbers of steps.</summary>
internal static class Sweep
{
    private static readonly string[] Heads = ["sampler", "steps", "evaluations", "seconds", "agreement", "Fréchet", "to real data's"];

    /// <summary>Every pair of a sampler and a number of steps from two comma-separated lists; null in either stands for the model's own.</summary>
    /// <exception cref="ArgumentException">A number of steps is none.</exception>
    public static IReadOnlyList<DrawOptions> Of(string? samplers, string? steps, DrawOptions options)
    {
        static string?[] Items(string? list) => list is null ? [null] : [.. list.Split(',', StringSplitOptions.TrimEntries)];
        int? Number(string? text) => text is null ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : throw new ArgumentException($"--steps {steps}: '{text}' is no number of steps; give one or several, as 10,20,50.");
        return [.. from sampler in Items(samplers) from count in Items(steps) select options with { Sampler = sampler, Steps = Number(count) }];
    }

    /// <summary>Draws and judges each in turn; the JSON file is complete after every one.</summary>
    public static void Run(Terminal terminal, DiffusionModel model, IDataset set, int count, IReadOnlyList<DrawOptions> draws, string? file, bool json, CancellationToken cancellation)
    {
        using var judgement = new Judgement(terminal, set, cancellation);
        var labels = Drawing.InTurn(model, count);
        var rows = new List<string[]>();
        var lines = new JsonArray();
        foreach (var draw in draws)
        {
            string name = draw.Sampler ?? model.Formulation.SamplerNames[0];
            var clock = Stopwatch.StartNew();
            int evaluations;
            using var progress = new ProgressLine(terminal, $"{name} {draw.Steps}");
            using var samples = Drawing.Draw(model, labels, count, draw, out evaluations, share => progress.Report(share), cancellation);
            double seconds = clock.Elapsed.TotalSeconds;
            var report = judgement.Report(samples, labels, draw.Seed, cancellation);
            string steps = draw.Steps?.ToString(CultureInfo.InvariantCulture) ?? "own";
            rows.Add(
            [
                name, steps, $"{evaluations}", $"{seconds:f0}",
                report.Agreement is { } a ? $"{a.Accuracy:p1} [{a.Interval.Low:p1}, {a.Interval.High:p1}]" : "",
                $"{report.Frechet.Distance:f2} [{report.Frechet.Interval.Low:f2}, {report.Frechet.Interval.High:f2}]", $"× {report.Frechet.Ratio:f2}",
            ]);
            lines.Add(new JsonObject { ["sampler"] = name, ["steps"] = draw.Steps, ["evaluations"] = evaluations, ["seconds"] = seconds, ["report"] = JsonNode.Parse(report.ToJson()) });
            if (file is not null) AtomicFile.WriteAllText(file, lines.ToJsonString(new() { WriteIndented = true }));
            terminal.Note(string.Join("  ", rows[^1]));
        }
        if (json) terminal.Line(lines.ToJsonString());
        else terminal.Table(Heads, rows);
    }
}
