using System.CommandLine;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin evaluate MODEL --data DATA</c>: draws samples and judges them against real data.</summary>
internal static class EvaluateCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string?>("model") { Description = "A model folder, or a run's folder; none when --real and --fake are compared.", Arity = ArgumentArity.ZeroOrOne };
        var data = new Option<string?>("--data") { Description = "Real data to judge against; the run's own by default." };
        var count = new Option<int>("--count", "-n") { Description = "Number of samples to draw.", DefaultValueFactory = _ => 1000 };
        var steps = new Option<string?>("--steps") { Description = "Sampling steps; the model's own by default. Several, as 10,20,50, make a table." };
        var sampler = new Option<string?>("--sampler") { Description = "Sampler; the formulation's own by default. Several, as ddim,dpm++2m, make a table." };
        var grid = new Option<string?>("--grid") { Description = "Spacing of the times; what suits the sampler by default." };
        var guidance = new Option<double?>("--guidance", "-g") { Description = "Classifier-free guidance scale; 1 for none." };
        Option<long> seed = Options.Seed();
        Option<string> deviceName = Options.DeviceName();
        Option<string> precision = Options.Precision();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        Option<string?> output = Options.Out("File to write the report to, as JSON.");
        var folders = new EvaluateFolders();
        var command = new Command("evaluate", "Draws samples and judges them: Fréchet and kernel distance, precision and recall, agreement with the asked class, memorisation.\n\nA tenth of the data, which training did not see, is the yardstick. The judge is trained once on the data and kept in the user's cache.\n\nWith --real and --fake two sets of samples are compared as they lie there.\n\nExamples:\n  langevin evaluate runs/strokes-ddpm -n 2000\n  langevin evaluate runs/strokes-ddpm --sampler ddim,dpm++2m,unipc --steps 10,20,50\n  langevin evaluate --metrics fid,kid,prdc --real photos --fake samples")
        { folder, data, count, steps, sampler, grid, guidance, seed, deviceName, precision, threads, json, output };
        folders.AddTo(command);
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            if (folders.Asked(parsed))
                return folders.Run(parsed, terminal, parsed.GetValue(deviceName)!, parsed.GetValue(seed), parsed.GetValue(json), parsed.GetValue(output), cancellation);
            int n = parsed.GetValue(count) >= 10 ? parsed.GetValue(count) : throw new ArgumentException($"--count {parsed.GetValue(count)}: judging needs at least 10 samples.");
            string path = parsed.GetValue(folder) ?? throw new ArgumentException("Give a model to judge, or two sets to compare with --real and --fake.");
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            using var model = DiffusionModel.Load(path, device);
            model.Network.ComputeType = Options.Compute(parsed.GetValue(precision)!, device);
            var set = Data(path, parsed.GetValue(data), model);
            var draws = Sweep.Of(parsed.GetValue(sampler), parsed.GetValue(steps), new() { Grid = parsed.GetValue(grid), Guidance = parsed.GetValue(guidance), Seed = parsed.GetValue(seed) });
            foreach (var draw in draws) _ = model.Formulation.Sampling(draw.Sampler, draw.Steps ?? model.Description.SamplingSteps, draw.Grid); // a wrong name is better known before any work
            if (draws.Count > 1)
            {
                Sweep.Run(terminal, model, set, n, draws, parsed.GetValue(output), parsed.GetValue(json), cancellation);
                return App.Ok;
            }
            var labels = Drawing.InTurn(model, n);
            Tensor samples;
            using (var progress = new ProgressLine(terminal, "sampling"))
                samples = Drawing.Draw(model, labels, n, draws[0], share => progress.Report(share), cancellation);
            using (samples)
            {
                var report = Judgement.Of(terminal, set, samples, labels, parsed.GetValue(seed), cancellation);
                if (parsed.GetValue(output) is { } file) AtomicFile.WriteAllText(file, report.ToJson());
                if (parsed.GetValue(json)) terminal.Line(report.ToJson());
                else terminal.Table(["measure", "value"], Judgement.Lines(report).Select(l => (string[])[l.Name, l.Value]));
            }
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>The data asked for, else the data of the run that the model came from; it must fit the model.</summary>
    public static IDataset Data(string folder, string? asked, DiffusionModel model)
    {
        string recipe = new[] { folder, Path.GetDirectoryName(Path.GetFullPath(folder)) ?? folder }.Select(f => Path.Combine(f, "recipe.json")).FirstOrDefault(File.Exists) ?? "";
        var run = recipe.Length > 0 ? Recipe.Parse(File.ReadAllText(recipe), new Recipe(), recipe) : null;
        string name = asked ?? run?.Data ?? throw new ArgumentException($"'{folder}' does not say what it was trained on: give the data with --data.");
        var set = asked is null ? run!.OpenData() : ((run ?? new Recipe()) with { Data = asked, Items = null }).OpenData();
        if (!set.ItemShape.SequenceEqual(model.Description.ItemShape))
            throw new ArgumentException($"The data '{name}' are {string.Join("×", set.ItemShape)}, the model makes {string.Join("×", model.Description.ItemShape)}.");
        return model.Description is { Mean: { } mean, Std: { } std } ? new Standardised(set, mean, std) : set;
    }
}
