using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin sample FOLDER</c>: draws samples from a trained model.</summary>
internal static class SampleCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("model") { Description = "A model folder, or a run's folder." };
        var count = new Option<int>("--count", "-n") { Description = "Number of samples.", DefaultValueFactory = _ => 100 };
        var label = new Option<string?>("--class", "-c") { Description = "A class by name or number; all in turn by default, 'none' for no class." };
        var steps = new Option<int?>("--steps") { Description = "Sampling steps; the model's own by default." };
        var sampler = new Option<string?>("--sampler") { Description = "Sampler; the formulation's own by default ('langevin samplers' lists them)." };
        var grid = new Option<string?>("--grid") { Description = "Spacing of the times; the process's usual one by default ('langevin samplers' lists them)." };
        var guidance = new Option<double?>("--guidance", "-g") { Description = "Guidance scale; 1 for none (cfg++: λ from 0 to 1)." };
        var steering = Steering.Options();
        var separate = new Option<bool>("--separate") { Description = "Also write every sample to a file of its own." };
        Option<long> seed = Options.Seed();
        Option<string> deviceName = Options.DeviceName();
        Option<string> precision = Options.Precision();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        Option<string?> output = Options.Out("Folder to write to; by default 'samples' beside the model.");
        var command = new Command("sample", "Draws samples from a trained model.\n\nExample: langevin sample runs/strokes-ddpm --class 3 -n 16 --sampler ddim --steps 15 --guidance 3 --guidance-interval 0.3,5")
        { folder, count, label, steps, sampler, grid, guidance, steering.Method, steering.Rescale, steering.Interval, separate, seed, deviceName, precision, threads, json, output };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            int n = Options.Positive(parsed.GetValue(count), "--count");
            if (parsed.GetValue(steps) is { } s) Options.Positive(s, "--steps");
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            using var model = DiffusionModel.Load(parsed.GetValue(folder)!, device);
            model.Network.ComputeType = Options.Compute(parsed.GetValue(precision)!, device);
            var labels = Labels(model, parsed.GetValue(label), n);
            string target = parsed.GetValue(output) ?? Path.Combine(parsed.GetValue(folder)!, "samples");
            var clock = Stopwatch.StartNew();
            Tensor samples;
            using (var progress = new ProgressLine(terminal, "sampling"))
                samples = Drawing.Draw(model, labels, n, new()
                {
                    Sampler = parsed.GetValue(sampler), Steps = parsed.GetValue(steps), Grid = parsed.GetValue(grid), Guidance = parsed.GetValue(guidance),
                    Steering = steering.Read(parsed), Seed = parsed.GetValue(seed),
                }, share => progress.Report(share), cancellation);
            using (samples)
            {
                var written = Write(model, samples, labels, target, parsed.GetValue(seed), parsed.GetValue(separate));
                if (parsed.GetValue(json))
                    terminal.Line(new JsonObject { ["files"] = new JsonArray([.. written.Select(w => (JsonNode)w)]), ["count"] = n, ["seconds"] = clock.Elapsed.TotalSeconds }.ToJsonString());
                else
                    terminal.Line($"{n} samples in {clock.Elapsed.TotalSeconds:f1} s: {string.Join(", ", written.Take(3))}{(written.Count > 3 ? $" and {written.Count - 3} more" : "")}");
            }
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    /// <summary>The label of each sample for a class asked for by name or number.</summary>
    public static long[]? Labels(DiffusionModel model, string? asked, int count)
    {
        var names = model.Description.ClassNames;
        if (asked is null) return Drawing.InTurn(model, count);
        if (names.Count == 0) throw new ArgumentException($"--class {asked}: this model was trained without classes.");
        int index = asked == "none" ? -1 : names.ToList().FindIndex(n => string.Equals(n, asked, StringComparison.OrdinalIgnoreCase));
        if (index < 0 && asked != "none" && (!int.TryParse(asked, out index) || index < 0 || index >= names.Count))
            throw new ArgumentException($"--class {asked}: no such class; the model knows {string.Join(", ", names)} (0 to {names.Count - 1}).");
        return [.. Enumerable.Repeat((long)index, count)];
    }

    // Images as a grid (and one by one if asked), vectors as CSV in the data's units, and the exact tensor as safetensors.
    private static List<string> Write(DiffusionModel model, Tensor samples, long[]? labels, string folder, long seed, bool separate)
    {
        using var scope = NewDisposeScope();
        var written = new List<string>();
        var about = model.Description;
        if (about is { Mean: { } mean, Std: { } std }) samples = samples * tensor(std.ToArray(), samples.dtype) + tensor(mean.ToArray(), samples.dtype);
        if (about.ItemShape.Count == 1)
        {
            written.Add(Path.Combine(folder, $"samples-seed{seed}.csv"));
            AtomicFile.WriteAllText(written[^1], Table(about, samples, labels));
        }
        if (model.Description.ItemShape.Count == 3)
        {
            int columns = (int)Math.Ceiling(Math.Sqrt(samples.shape[0]));
            if (model.Description.ClassNames.Count is > 1 and <= 20 and int k && samples.shape[0] % k == 0) columns = k;
            written.Add(Path.Combine(folder, $"grid-seed{seed}.png"));
            ImageGrid.Save(written[^1], samples, columns);
            for (int i = 0; separate && i < samples.shape[0]; i++)
            {
                using var one = samples[i].unsqueeze(0);
                written.Add(Path.Combine(folder, $"sample-seed{seed}-{i:d5}.png"));
                ImageGrid.Save(written[^1], one, 1, 0);
            }
        }
        written.Add(Path.Combine(folder, $"samples-seed{seed}.safetensors"));
        SafeTensors.Save(written[^1], [KeyValuePair.Create("samples", samples)]);
        return written;
    }

    private static string Table(ModelDescription about, Tensor samples, long[]? labels)
    {
        int width = (int)about.ItemShape[0];
        float[] values = samples.to(ScalarType.Float32).data<float>().ToArray();
        bool classes = labels is not null && !labels.Contains(-1);
        static string Field(string name) => name.AsSpan().IndexOfAny(",\"\n") < 0 ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var names = about.ColumnNames.Count == width ? about.ColumnNames : [.. Enumerable.Range(1, width).Select(i => $"x{i}")];
        var text = new StringBuilder().AppendJoin(',', names.Select(Field)).Append(classes ? ",class\n" : "\n");
        for (int i = 0; i < samples.shape[0]; i++)
        {
            text.AppendJoin(',', values[(i * width)..((i + 1) * width)].Select(v => v.ToString("R", CultureInfo.InvariantCulture)));
            text.Append(classes ? $",{Field(about.ClassNames[(int)labels![i]])}\n" : "\n");
        }
        return text.ToString();
    }
}
