using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Hub;
using Langevin.Metrics.Judging;
using Langevin.Systems.Reports;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>What a run ends with: samples, their judgement, and the report.</summary>
internal static class Conclusion
{
    private const int GridCount = 100;

    /// <summary>Draws, judges and writes; returns <c>report.json</c>.</summary>
    public static JsonObject Write(Terminal terminal, DiffusionModel model, Recipe recipe, IDataset set, RunFolder folder, double seconds, CancellationToken cancellation)
    {
        int count = Math.Max(GridCount, recipe.JudgeSamples);
        var labels = Drawing.InTurn(model, count);
        var started = System.Diagnostics.Stopwatch.StartNew();
        Tensor samples;
        using (var progress = new ProgressLine(terminal, "sampling"))
            samples = Drawing.Draw(model, labels, count, new() { Seed = recipe.Seed }, share => progress.Report(share), cancellation);
        using var kept = samples;
        double sampling = started.Elapsed.TotalSeconds;
        bool images = set.ItemShape.Length == 3;
        using var shown = samples.narrow(0, 0, GridCount);
        if (images) ImageGrid.Save(folder.Samples, shown, 10, zoom: 2);
        var judged = recipe.JudgeSamples >= 10 ? Judgement.Of(terminal, set, samples, labels, recipe.Seed, cancellation) : null;

        var result = new JsonObject
        {
            ["data"] = set.Name,
            ["formulation"] = recipe.Formulation.Name,
            ["steps"] = recipe.Steps,
            ["training_seconds"] = Math.Round(seconds, 1),
            ["sampling_seconds"] = Math.Round(sampling, 1),
            ["samples"] = count,
            ["peak_memory_mib"] = Math.Round(System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64 / (double)(1 << 20)),
            ["model"] = folder.Model,
            ["judgement"] = judged is null ? null : JsonNode.Parse(judged.ToJson()),
        };
        AtomicFile.WriteAllText(folder.Result, result.ToJsonString(new() { WriteIndented = true }));
        Html(recipe, set, folder, shown, images, judged, result).Save(folder.Report);
        return result;
    }

    /// <summary>A few lines for a person.</summary>
    public static string Summary(JsonObject result, RunFolder folder)
    {
        var lines = new List<string>
        {
            $"trained {result["steps"]} steps in {ProgressLine.Format(TimeSpan.FromSeconds((double)result["training_seconds"]!))}, drew {result["samples"]} samples in {ProgressLine.Format(TimeSpan.FromSeconds((double)result["sampling_seconds"]!))}, peak memory {result["peak_memory_mib"]} MiB",
        };
        if (result["judgement"] is { } judged)
            lines.AddRange(Judgement.Lines(JudgeReport.FromJson(judged.ToJsonString())).Select(l => $"  {l.Name}: {l.Value}"));
        lines.Add($"samples: {folder.Samples}");
        lines.Add($"report:  {folder.Report}");
        lines.Add($"model:   {folder.Model}");
        return string.Join(Environment.NewLine, lines);
    }

    private static HtmlReport Html(Recipe recipe, IDataset set, RunFolder folder, Tensor samples, bool images, JudgeReport? judged, JsonObject result)
    {
        var report = new HtmlReport($"{set.Name}, {recipe.Formulation.Name}");
        report.Table([
            ("trained", $"{recipe.Steps} steps of {recipe.BatchSize} in {ProgressLine.Format(TimeSpan.FromSeconds((double)result["training_seconds"]!))}"),
            ("sampled", $"{result["samples"]} in {ProgressLine.Format(TimeSpan.FromSeconds((double)result["sampling_seconds"]!))}"),
            ("peak memory", $"{result["peak_memory_mib"]} MiB"),
            ("cores", Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("seed", recipe.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ]);
        if (images)
        {
            report.Heading("Samples").Picture(ImageGrid.Png(samples, 10, zoom: 2), set.ClassCount > 0 && recipe.ClassConditional ? "One column a class." : "Unconditional samples.");
            using var real = set.Get([.. Enumerable.Range(0, Math.Min(50, set.Count)).Select(i => (long)i)], 0);
            report.Picture(ImageGrid.Png(real.Samples, 10, zoom: 2), "Real data.");
        }
        if (judged is not null) report.Heading("Judgement").Table(Judgement.Lines(judged));
        var entries = folder.Entries();
        report.Heading("Training").LogPlot(
            [.. entries.Select(e => (double)e["step"]!.GetValue<long>())], [.. entries.Select(e => e["loss"]!.GetValue<double>())], "step", "loss", "Mean loss over 25 steps, logarithmic.");
        return report.Heading("Recipe").Code(recipe.ToJson());
    }
}
