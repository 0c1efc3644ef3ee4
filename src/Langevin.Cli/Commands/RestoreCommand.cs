using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin restore MODEL</c>: solves an inverse problem with a trained model as prior.</summary>
internal static class RestoreCommand
{
    public static Command Create(Terminal terminal)
    {
        var shared = new CanvasOptions("The damaged picture, or a .safetensors file with a tensor 'measurement' (cs, mri and ct need one). Without it: pictures of --data, damaged and restored.", required: false,
            "inpaint and box: white where the picture is seen; mri: where frequencies are sampled (frequency 0 at the top left).", "what suits the method", "restored");
        var task = new TaskOptions();
        var degrade = new Option<bool>("--degrade") { Description = "--in is the clean truth: damage it first, and report PSNR and SSIM." };
        var data = new Option<string?>("--data") { Description = "Without --in: the data whose pictures are restored; the run's own by default." };
        var count = new Option<int>("--count") { Description = "Without --in: how many pictures.", DefaultValueFactory = _ => 24 };
        var split = new Option<string>("--split") { Description = "Without --in: pictures that training did not see (held-out), or that it did (training), to tune a method on.", DefaultValueFactory = _ => "held-out" };
        split.AcceptOnlyFromAmong("held-out", "training");
        var command = shared.Command("restore", "Restores a damaged picture with a trained model: inpainting, deblurring, super-resolution, colour, compressed sensing, magnetic resonance, tomography, JPEG. " +
            "Without --in, damages and restores held-out pictures of a data set, and compares with classical methods in a table.\n\n" +
            "Examples: langevin restore runs/strokes-ddpm --task superres --factor 4 --in digit.png --degrade --noise 0.05\n          langevin restore runs/strokes-ddpm --task all --noise 0.05 --count 50",
            [.. task.All, degrade, data, count, split]);
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            using var scope = NewDisposeScope();
            using var canvas = shared.Open(parsed);
            string[] tasks = task.Tasks(parsed, canvas);
            if (parsed.GetValue(shared.Input) is { } source)
            {
                if (tasks.Length > 1) throw new ArgumentException($"--task {string.Join(",", tasks)}: one picture is restored under one task; without --in, pictures of --data are restored under each.");
                foreach (var option in (Option[])[data, count, split])
                    if (parsed.GetResult(option) is { Implicit: false }) throw new ArgumentException($"{option.Name} goes without --in: a picture was given, '{source}'.");
                using var problem = task.Create(parsed, tasks[0], canvas);
                PictureRestoration.Run(terminal, canvas, problem, task.Choose(parsed, problem, canvas), source, parsed.GetValue(degrade), cancellation);
            }
            else Table(terminal, parsed, canvas, task, tasks, parsed.GetValue(data), Options.Positive(parsed.GetValue(count), "--count"), parsed.GetValue(split)!, cancellation);
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    private static void Table(Terminal terminal, ParseResult parsed, Canvas canvas, TaskOptions options, string[] tasks, string? data, int count, string split, CancellationToken cancellation)
    {
        var set = EvaluateCommand.Data(canvas.Folder, data, canvas.Model);
        var (truth, tuning) = HeldOutTable.Pictures(set, count, split == "held-out");
        // Whatever is wrong with a task is known before the first is worked at.
        var problems = tasks.Select(name => options.Create(parsed, name, canvas)).ToList();
        var methods = problems.Select(p => options.Choose(parsed, p, canvas)).ToList();
        var done = new List<JsonObject>();
        var files = new List<string>();
        var sheet = new List<Tensor>();
        var figures = new JsonObject
        {
            ["model"] = canvas.Folder, ["data"] = set.Name, ["split"] = split, ["pictures"] = count, ["samples"] = canvas.Samples, ["seed"] = canvas.Seed,
        };
        for (int i = 0; i < tasks.Length; i++)
        {
            using var problem = problems[i];
            using var progress = new ProgressLine(terminal, tasks.Length > 1 ? $"{tasks[i]} ({i + 1} of {tasks.Length})" : "restoring");
            var (row, pictures) = HeldOutTable.Row(canvas, problem, methods[i], truth, tuning, share => progress.Report(share), cancellation);
            done.Add(row);
            sheet.Add(pictures[i % pictures.Count]);
            files.Add(Path.Combine(canvas.Target, $"comparison-{tasks[i]}-seed{canvas.Seed}.png"));
            Pictures.Save(files[^1], cat([.. pictures]), (int)pictures[0].shape[0]);
        }
        if (tasks.Length > 1)
        {
            // A row for each task, of different pictures.
            files.Add(Path.Combine(canvas.Target, $"comparison-seed{canvas.Seed}.png"));
            Pictures.Save(files[^1], cat([.. sheet]), (int)sheet[0].shape[0]);
        }
        figures["tasks"] = new JsonArray([.. done]);
        figures["files"] = new JsonArray([.. files.Select(f => (JsonNode)f)]);
        AtomicFile.WriteAllText(Path.Combine(canvas.Target, "restore.json"), figures.ToJsonString(new() { WriteIndented = true }));
        if (canvas.Json) terminal.Line(figures.ToJsonString());
        else HeldOutTable.Print(terminal, done);
    }
}
