using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Guidance;
using Langevin.Hub;
using Langevin.Inverse;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin edit MODEL</c>: makes a picture anew after another.</summary>
internal static class EditCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("model") { Description = "A model folder, or a run's folder." };
        var input = new Option<string>("--in", "-i") { Description = "The picture to edit; scaled and cut to the model's size.", Required = true };
        var method = new Option<string>("--method") { Description = "sdedit: noise it and sample from there; repaint: fill in what the mask leaves black; ilvr: keep its coarse look only.", DefaultValueFactory = _ => "sdedit" };
        method.AcceptOnlyFromAmong("sdedit", "repaint", "ilvr");
        var mask = new Option<string?>("--mask", "-m") { Description = "repaint and sdedit: white where the picture is kept." };
        var strength = new Option<double>("--strength") { Description = "sdedit: share of the steps that is walked, in (0, 1]; the larger, the freer.", DefaultValueFactory = _ => 0.5 };
        var factor = new Option<int>("--factor") { Description = "ilvr: down-sampling that defines the coarse look.", DefaultValueFactory = _ => 4 };
        var resamplings = new Option<int>("--resamplings") { Description = "repaint: how often each stretch is walked.", DefaultValueFactory = _ => 5 };
        var steps = new Option<int>("--steps") { Description = "Sampling steps.", DefaultValueFactory = _ => 100 };
        var samples = new Option<int>("--samples", "-n") { Description = "Pictures to make.", DefaultValueFactory = _ => 4 };
        var label = new Option<string?>("--class", "-c") { Description = "A class by name or number; none by default." };
        var guidance = new Option<double?>("--guidance", "-g") { Description = "Classifier-free guidance scale; 1 for none." };
        Option<long> seed = Options.Seed();
        Option<string> deviceName = Options.DeviceName();
        Option<int?> threads = Options.Threads();
        Option<bool> json = Options.Json();
        Option<string?> output = Options.Out("Folder to write to; by default 'edited' beside the model.");
        var command = new Command("edit", "Makes pictures after one of yours with a trained model.\n\nExample: langevin edit runs/strokes-ddpm --in sketch.png --strength 0.6 --class 3")
        { folder, input, method, mask, strength, factor, resamplings, steps, samples, label, guidance, seed, deviceName, threads, json, output };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            int n = Options.Positive(parsed.GetValue(samples), "--samples"), count = Options.Positive(parsed.GetValue(steps), "--steps");
            double share = parsed.GetValue(strength);
            if (share is not (> 0 and <= 1)) throw new ArgumentException($"--strength {share}: it lies in (0, 1].");
            var device = Options.Resolve(parsed.GetValue(deviceName)!);
            string path = parsed.GetValue(folder)!, source = parsed.GetValue(input)!, chosen = parsed.GetValue(method)!;
            using var model = DiffusionModel.Load(path, device);
            var (channels, height, width) = Canvas.Shape(model);
            using var scope = NewDisposeScope();
            var picture = Canvas.Fitting(Canvas.Read(source, channels, height == width ? (int)height : null, "picture"), source, channels, height, width);
            var reference = picture.to(device);
            Tensor? kept = null;
            if (parsed.GetValue(mask) is { } file)
            {
                kept = Canvas.Read(file, 1, null, "mask").gt(0).to(ScalarType.Float32).squeeze(0);
                if (!kept.shape[1..].SequenceEqual([height, width])) throw new ArgumentException($"The mask is {kept.shape[1]}×{kept.shape[2]} pixels; this model makes pictures of {height}×{width}.");
                kept = kept.to(device);
            }
            if (chosen == "repaint" && kept is null) throw new ArgumentException("--method repaint: say what is kept with --mask FILE (white where kept).");
            using ForwardOperator look = chosen == "ilvr" ? Separable.Bicubic(height, width, Options.Positive(parsed.GetValue(factor), "--factor")) : new Inpainting(kept ?? ones(height, width));
            Sampler sampler = chosen switch
            {
                "repaint" => new RePaint(new(look, kept! * reference), Math.Max(1, Math.Min(10, count / 10)), Options.Positive(parsed.GetValue(resamplings), "--resamplings")),
                "ilvr" => new Ilvr(reference, (LinearOperator)look),
                _ => new SdEdit(reference, share, Keep: kept),
            };
            var labels = parsed.GetValue(label) is { } asked ? SampleCommand.Labels(model, asked, n) : model.Description.ClassNames.Count > 0 ? SampleCommand.Labels(model, "none", n) : null;
            var (denoiser, grid) = Canvas.Prepare(model, count, parsed.GetValue(guidance), labelled: parsed.GetValue(label) is not null and not "none");
            if (model.Formulation.ClipsSamples) denoiser = denoiser.Clamped();
            var condition = labels is null ? Condition.None : Condition.OfLabel(tensor(labels, device: device));
            var clock = Stopwatch.StartNew();
            using var progress = new ProgressLine(terminal, "editing");
            var (results, evaluations) = Canvas.Draw(denoiser, sampler, grid, [n, channels, height, width], condition, parsed.GetValue(seed), device, progress, cancellation);

            string target = parsed.GetValue(output) ?? Path.Combine(path, "edited");
            var written = new List<string>();
            for (int i = 0; i < n; i++)
            {
                written.Add(Path.Combine(target, $"edited-seed{parsed.GetValue(seed)}-{i:d2}.png"));
                ImageGrid.Save(written[^1], Canvas.Drawable(results[i].unsqueeze(0)), 1, 0);
            }
            written.Add(Path.Combine(target, $"comparison-seed{parsed.GetValue(seed)}.png"));
            ImageGrid.Save(written[^1], Canvas.Drawable(cat([picture, results])), n + 1, zoom: width < 64 ? 4 : 1);
            double change = (results - picture).square().mean().sqrt().to(ScalarType.Float64).item<double>();
            var figures = new JsonObject
            {
                ["method"] = chosen, ["change"] = change, ["evaluations"] = evaluations, ["seconds"] = clock.Elapsed.TotalSeconds,
                ["files"] = new JsonArray([.. written.Select(f => (JsonNode)f)]),
            };
            AtomicFile.WriteAllText(Path.Combine(target, "edit.json"), figures.ToJsonString(new() { WriteIndented = true }));
            terminal.Line(parsed.GetValue(json) ? figures.ToJsonString() : $"{n} pictures by {chosen} in {clock.Elapsed.TotalSeconds:f1} s, root mean square change {change:g3}; see '{written[^1]}'");
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }
}
