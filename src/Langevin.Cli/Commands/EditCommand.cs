using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using Langevin.Guidance;
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
        var shared = new CanvasOptions("The picture to edit; scaled and cut to the model's size.", required: true, "repaint and sdedit: white where the picture is kept.", "100", "edited");
        var method = new Option<string>("--method") { Description = "sdedit: noise it and sample from there; repaint: fill in what the mask leaves black; ilvr: keep its coarse look only.", DefaultValueFactory = _ => "sdedit" };
        method.AcceptOnlyFromAmong("sdedit", "repaint", "ilvr");
        var strength = new Option<double>("--strength") { Description = "sdedit: share of the steps that is walked, in (0, 1]; the larger, the freer.", DefaultValueFactory = _ => 0.5 };
        var factor = new Option<int>("--factor") { Description = "ilvr: down-sampling that defines the coarse look.", DefaultValueFactory = _ => 4 };
        var resamplings = new Option<int>("--resamplings") { Description = "repaint: how often each stretch is walked.", DefaultValueFactory = _ => 5 };
        var command = shared.Command("edit", "Makes pictures after one of yours with a trained model.\n\nExample: langevin edit runs/strokes-ddpm --in sketch.png --strength 0.6 --class 3", method, strength, factor, resamplings);
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            double share = parsed.GetValue(strength);
            if (share is not (> 0 and <= 1)) throw new ArgumentException($"--strength {share}: it lies in (0, 1].");
            string source = parsed.GetValue(shared.Input)!, chosen = parsed.GetValue(method)!;
            using var scope = NewDisposeScope();
            using var canvas = shared.Open(parsed);
            int steps = canvas.Steps ?? 100;
            var picture = Pictures.Fitting(Pictures.Read(source, canvas.Channels, canvas.Side, "picture"), source, canvas.Channels, canvas.Height, canvas.Width);
            var reference = picture.to(canvas.Device);
            var kept = canvas.Mask?.to(ScalarType.Float32).to(canvas.Device);
            if (chosen == "repaint" && kept is null) throw new ArgumentException("--method repaint: say what is kept with --mask FILE (white where kept).");
            using ForwardOperator look = chosen == "ilvr" ? Separable.Bicubic(canvas.Height, canvas.Width, Options.Positive(parsed.GetValue(factor), "--factor")) : new Inpainting(kept ?? ones(canvas.Height, canvas.Width));
            Sampler sampler = chosen switch
            {
                "repaint" => new RePaint(new(look, kept! * reference), Math.Max(1, Math.Min(10, steps / 10)), Options.Positive(parsed.GetValue(resamplings), "--resamplings")),
                "ilvr" => new Ilvr(reference, (LinearOperator)look),
                _ => new SdEdit(reference, share, Keep: kept),
            };
            var denoiser = canvas.Model.Formulation.ClipsSamples ? canvas.Prior.Clamped() : canvas.Prior;
            var clock = Stopwatch.StartNew();
            using var progress = new ProgressLine(terminal, "editing");
            var (results, evaluations) = canvas.Draw((_, _) => (denoiser, sampler), canvas.Samples, steps, done => progress.Report(done), cancellation);
            using (results)
            {
                List<string> written = [.. Pictures.SaveEach(results, i => Path.Combine(canvas.Target, $"edited-seed{canvas.Seed}-{i:d2}.png")), Path.Combine(canvas.Target, $"comparison-seed{canvas.Seed}.png")];
                Pictures.Save(written[^1], cat([picture, results]), canvas.Samples + 1);
                double change = (results - picture).square().mean().sqrt().to(ScalarType.Float64).item<double>();
                var figures = new JsonObject
                {
                    ["method"] = chosen, ["change"] = change, ["evaluations"] = evaluations, ["seconds"] = clock.Elapsed.TotalSeconds,
                    ["files"] = new JsonArray([.. written.Select(f => (JsonNode)f)]),
                };
                AtomicFile.WriteAllText(Path.Combine(canvas.Target, "edit.json"), figures.ToJsonString(new() { WriteIndented = true }));
                terminal.Line(canvas.Json ? figures.ToJsonString() : $"{canvas.Samples} pictures by {chosen} in {clock.Elapsed.TotalSeconds:f1} s, root mean square change {change:g3}; see '{written[^1]}'");
            }
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }
}
