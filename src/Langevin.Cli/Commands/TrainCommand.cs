using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Formulations;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin train DATA</c>: trains a model, draws from it, judges it and reports.</summary>
internal static class TrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var data = new Argument<string?>("data") { Description = "A built-in set (strokes, shapes, moons, ...) or a file or folder of your own.", Arity = ArgumentArity.ZeroOrOne };
        var formulation = new Option<string>("--formulation", "-f") { Description = string.Join(", ", Formulation.Names) + ".", DefaultValueFactory = _ => "ddpm" };
        formulation.AcceptOnlyFromAmong([.. Formulation.Names]);
        var config = new Option<string?>("--config") { Description = "A JSON or YAML file with any keys of a run's recipe.json." };
        var resume = new Option<string?>("--resume") { Description = "Continue the run in this folder." };
        var steps = new Option<int?>("--steps") { Description = "Training steps." };
        var batch = new Option<int?>("--batch") { Description = "Samples in a step." };
        var rate = new Option<double?>("--lr") { Description = "Peak learning rate." };
        var items = new Option<int?>("--items") { Description = "Use so many items of the data, drawn at random." };
        var (size, grey, label) = Options.Reading();
        var unconditional = new Option<bool>("--unconditional") { Description = "Ignore the data's classes." };
        var judge = new Option<int?>("--judge") { Description = "Samples to judge at the end; 0 for none." };
        Option<long?> seed = new("--seed") { Description = "Decides everything random." };
        Option<string> deviceName = Options.DeviceName();
        Option<string> precision = Options.Precision();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        Option<string?> output = Options.Out("Folder of the run; runs/DATA-FORMULATION by default.");
        var command = new Command("train", "Trains a model, draws a sample grid and writes a report.\n\nExamples:\n  langevin train strokes\n  langevin train mnist/ --formulation edm --steps 4000 --out runs/mnist\n  langevin train --resume runs/mnist")
        { data, formulation, config, resume, steps, batch, rate, items, size, grey, label, unconditional, judge, seed, deviceName, precision, threads, json, output };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            string? continued = parsed.GetValue(resume);
            var (recipe, set) = continued is null ? Fresh() : Continued(continued);
            set = recipe.InModelUnits(set);
            var training = recipe.TrainingPart(set);
            if (recipe.Steps < 1 || recipe.BatchSize < 1 || recipe.CheckpointEvery < 1 || !(recipe.LearningRate > 0))
                throw new ArgumentException($"steps {recipe.Steps}, batch_size {recipe.BatchSize}, checkpoint_every {recipe.CheckpointEvery} and learning_rate {recipe.LearningRate} must all be above 0.");
            _ = Formulation.Create(recipe.Formulation); // a wrong number is better known before a folder is made
            var folder = continued is null
                ? RunFolder.Create(parsed.GetValue(output), $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(recipe.Data))}-{recipe.Formulation.Name}")
                : RunFolder.Open(continued);
            terminal.Note($"{set.Name}: {set.Count} items of {string.Join("×", set.ItemShape)}{(set.ClassCount > 0 ? $", {set.ClassCount} classes" : "")}; {recipe.Formulation.Name}, {recipe.Steps} steps of {recipe.BatchSize}, in '{folder.Path}'");
            var (model, seconds) = new TrainingRun(terminal, recipe, training, set as Standardised, folder, device, Options.Compute(parsed.GetValue(precision)!, device)).Train(continued is not null, cancellation);
            using (model)
            {
                var result = Conclusion.Write(terminal, model, recipe, set, folder, seconds, cancellation);
                terminal.Line(parsed.GetValue(json) ? result.ToJsonString() : Conclusion.Summary(result, folder));
            }
            return App.Ok;

            (Recipe, IDataset) Fresh()
            {
                string? file = parsed.GetValue(config);
                if (file is not null && !File.Exists(file)) throw new FileNotFoundException($"There is no recipe file '{file}'.");
                string? text = file is null ? null : File.ReadAllText(file);
                var asked = text is null ? null : Recipe.Parse(text, new Recipe(), file!);
                string name = parsed.GetValue(data) ?? asked?.Data ?? throw new ArgumentException("Which data? For example: langevin train strokes");
                var read = (asked ?? new Recipe()) with { Data = name };
                read = read with
                {
                    Items = parsed.GetValue(items) ?? read.Items,
                    Size = parsed.GetValue(size) ?? read.Size,
                    Grey = parsed.GetValue(grey) ?? read.Grey,
                    Label = parsed.GetValue(label) ?? read.Label,
                };
                var opened = read.OpenData();
                bool named = parsed.GetResult(formulation) is { Implicit: false };
                var preset = Presets.For(read.InModelUnits(opened), name, !named && asked is not null ? asked.Formulation.Name : parsed.GetValue(formulation)!);
                var recipe = text is null ? preset : Recipe.Parse(text, preset, file!) with { Data = name };
                recipe = recipe with
                {
                    Items = read.Items,
                    Size = read.Size,
                    Grey = read.Grey,
                    Label = read.Label,
                    Steps = parsed.GetValue(steps) ?? recipe.Steps,
                    BatchSize = parsed.GetValue(batch) ?? recipe.BatchSize,
                    LearningRate = parsed.GetValue(rate) ?? recipe.LearningRate,
                    JudgeSamples = parsed.GetValue(judge) ?? recipe.JudgeSamples,
                    Seed = parsed.GetValue(seed) ?? recipe.Seed,
                    ClassConditional = recipe.ClassConditional && !parsed.GetValue(unconditional),
                };
                return (recipe.WithNetwork(opened), opened);
            }

            (Recipe, IDataset) Continued(string path)
            {
                var recipe = Recipe.Parse(File.ReadAllText(RunFolder.Open(path).Recipe), new Recipe(), path);
                recipe = recipe with { Steps = parsed.GetValue(steps) ?? recipe.Steps };
                return (recipe, recipe.OpenData());
            }
        }, CancellationToken.None));
        return command;
    }
}
