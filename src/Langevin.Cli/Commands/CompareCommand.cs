using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Hub;
using Langevin.Metrics.Judging;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin compare RUN...</c>: the reports of several runs in one table.</summary>
internal static class CompareCommand
{
    private static readonly string[] Heads = ["run", "formulation", "training s", "sampling s", "agreement", "Fréchet", "to real data's", "nll"];

    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("runs") { Description = "Folders of finished runs.", Arity = ArgumentArity.OneOrMore };
        var likelihood = new Option<int>("--likelihood") { Description = "Also the negative log-likelihood over this many held-out items (bits/dim for images); 0 for none." };
        Option<long> seed = Options.Seed();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        var command = new Command("compare", "The reports of several runs in one table: time, agreement with its interval, Fréchet distance and its ratio to that of real data, likelihood.\n\nExample: langevin compare runs/strokes-*")
        { folders, likelihood, seed, threads, json };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            int items = parsed.GetValue(likelihood);
            if (items < 0) throw new ArgumentException($"--likelihood {items}: it must not be negative.");
            Options.UseThreads(parsed.GetValue(threads));
            var runs = parsed.GetValue(folders)!.Select(f => (Folder: f, Report: Read(f))).ToList();
            var rows = new List<string[]>();
            var lines = new JsonArray();
            foreach (var (folder, report) in runs)
            {
                var judged = report["judgement"] is { } j ? JudgeReport.FromJson(j.ToJsonString()) : null;
                (string Text, JsonNode? Node) nll = items > 0 ? Likelihood(terminal, folder, items, parsed.GetValue(seed), cancellation) : ("", null);
                rows.Add(
                [
                    Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), (string)report["formulation"]!, $"{(double)report["training_seconds"]!:f0}", $"{(double)report["sampling_seconds"]!:f0}",
                    judged?.Agreement is { } a ? $"{a.Accuracy:p1} [{a.Interval.Low:p1}, {a.Interval.High:p1}]" : "",
                    judged is null ? "" : $"{judged.Frechet.Distance:f2} [{judged.Frechet.Interval.Low:f2}, {judged.Frechet.Interval.High:f2}]",
                    judged is null ? "" : $"× {judged.Frechet.Ratio:f2}", nll.Text,
                ]);
                lines.Add(new JsonObject { ["run"] = folder, ["report"] = report.DeepClone(), ["likelihood"] = nll.Node });
            }
            if (parsed.GetValue(json)) terminal.Line(lines.ToJsonString());
            else terminal.Table(Heads, rows);
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    private static JsonObject Read(string folder)
    {
        string path = Path.Combine(folder, "report.json");
        if (!File.Exists(path)) throw new FileNotFoundException($"'{folder}' has no report.json: it is no finished run.", path);
        try
        {
            var report = JsonNode.Parse(File.ReadAllText(path)) as JsonObject;
            return report?["formulation"] is not null && report["training_seconds"] is not null && report["sampling_seconds"] is not null ? report
                : throw new InvalidDataException($"'{path}' is no report of a run.");
        }
        catch (JsonException e) { throw new InvalidDataException($"'{path}' is not JSON: {e.Message}", e); }
    }

    private static (string Text, JsonNode? Node) Likelihood(Terminal terminal, string folder, int items, long seed, CancellationToken cancellation)
    {
        using var model = DiffusionModel.Load(folder);
        // A table of noise levels without end to clean data (ncsn) and a bound are no densities of the same kind; each says its method.
        var held = Judgement.HeldOut(EvaluateCommand.Data(folder, null, model));
        var nll = HeldOutLikelihood.Evaluate(terminal, model, held, Math.Min(items, held.Count), "auto", terms: 50, tolerance: 1e-3, seed, cancellation);
        return ($"{nll.Mean:f2} ± {nll.StandardError:f2} ({nll.Method})", nll.ToJson());
    }
}
