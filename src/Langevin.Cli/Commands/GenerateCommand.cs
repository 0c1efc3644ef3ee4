using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Hub;
using Langevin.Hub.Schedulers;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin generate</c>: pictures from prompts by a published model.</summary>
internal static class GenerateCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Option<string>("--model", "-m") { Description = "A folder in the diffusers layout: Stable Diffusion 1, 2 or XL.", Required = true };
        var prompt = new Option<string>("--prompt", "-p") { Description = "What is wanted.", Required = true };
        var negative = new Option<string>("--negative") { Description = "What is not wanted.", DefaultValueFactory = _ => "" };
        var count = new Option<int>("-n") { Description = "Number of pictures.", DefaultValueFactory = _ => 1 };
        var batch = new Option<int>("--batch") { Description = "Pictures made at once; the pictures do not depend on it.", DefaultValueFactory = _ => 1 };
        var steps = new Option<int>("--steps") { Description = "Sampling steps.", DefaultValueFactory = _ => 25 };
        var sampler = new Option<string?>("--sampler") { Description = $"Sampler; the model's own by default. Others: {string.Join(", ", SamplerChoice.Names)}." };
        var karras = new Option<bool>("--karras") { Description = "Space the noise levels as Karras et al. 2022 do it (with --sampler)." };
        var guidance = new Option<double>("--guidance", "-g") { Description = "Guidance scale; 1 for none.", DefaultValueFactory = _ => 7.5 };
        var height = new Option<int?>("--height") { Description = "Height in pixels; the model's own by default." };
        var width = new Option<int?>("--width") { Description = "Width in pixels; the model's own by default." };
        var skip = new Option<int>("--clip-skip") { Description = "Last layers of the text model that are left out." };
        var chunks = new Option<bool>("--long-prompt") { Description = "Read a prompt that is longer than the text model reads at once in stretches." };
        var loras = new Option<string[]>("--lora") { Description = "Low-rank changes of the weights, FILE or FILE=WEIGHT; may be given several times.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var (seed, threads, json) = (Options.Seed(), Options.Threads(), Options.Json());
        var output = Options.Out("Folder to write to; 'pictures' by default.");
        var command = new Command("generate", "Makes pictures from a prompt with a published model.\n\nExample: langevin generate --model sd15 --prompt \"a photo of a cat\" --steps 25 --sampler dpm++2m --seed 7 -n 4 --out cats")
        { folder, prompt, negative, count, batch, steps, sampler, karras, guidance, height, width, skip, chunks, loras, seed, threads, json, output };
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(threads));
            int n = Options.Positive(parsed.GetValue(count), "-n"), atOnce = Options.Positive(parsed.GetValue(batch), "--batch");
            var request = new TextToImageRequest
            {
                Prompts = [parsed.GetValue(prompt)!], Negative = parsed.GetValue(negative)!, Guidance = parsed.GetValue(guidance), Steps = Options.Positive(parsed.GetValue(steps), "--steps"),
                Seed = parsed.GetValue(seed), Height = parsed.GetValue(height), Width = parsed.GetValue(width), ClipSkip = parsed.GetValue(skip), Chunks = parsed.GetValue(chunks),
            };
            if (parsed.GetValue(karras) && parsed.GetValue(sampler) is null) throw new ArgumentException("--karras goes with --sampler: the model's own scheduler has a spacing of its own.");
            using var model = TextToImage.Load(parsed.GetValue(folder)!);
            if (parsed.GetValue(sampler) is { } name) model.Scheduler = model.Scheduler.Under(name, parsed.GetValue(karras));
            foreach (var (file, weight) in (parsed.GetValue(loras) ?? []).Select(Lora))
            {
                using var lora = LoraWeights.Load(file);
                model.Apply(lora, weight); // for as long as the model lives
            }
            string target = parsed.GetValue(output) ?? "pictures";
            var clock = Stopwatch.StartNew();
            var written = new List<string>();
            using (var progress = new ProgressLine(terminal, "generating"))
                for (int first = 0; first < n; first += atOnce)
                {
                    int length = Math.Min(atOnce, n - first);
                    using var pictures = model.Generate(request with { Prompts = [.. Enumerable.Repeat(request.Prompts[0], length)], First = first },
                        share => progress.Report((first + share * length) / n), cancellation);
                    for (int i = 0; i < length; i++)
                    {
                        using var one = pictures.narrow(0, i, 1);
                        written.Add(Path.Combine(target, $"picture-seed{request.Seed}-{first + i:d4}.png"));
                        ImageGrid.Save(written[^1], one, 1, 0);
                    }
                }
            if (parsed.GetValue(json)) terminal.Line(new JsonObject { ["files"] = new JsonArray([.. written.Select(w => (JsonNode)w)]), ["seconds"] = clock.Elapsed.TotalSeconds }.ToJsonString());
            else terminal.Line($"{n} picture{(n == 1 ? "" : "s")} in {clock.Elapsed.TotalSeconds:f1} s: {string.Join(", ", written.Take(3))}{(n > 3 ? $" and {n - 3} more" : "")}");
            return App.Ok;
        }, CancellationToken.None));
        return command;
    }

    private static (string File, double Weight) Lora(string text)
    {
        int at = text.LastIndexOf('=');
        if (at < 0 || File.Exists(text)) return (text, 1);
        return double.TryParse(text[(at + 1)..], System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double weight) && double.IsFinite(weight)
            ? (text[..at], weight) : throw new ArgumentException($"--lora {text}: what follows '=' must be a number.");
    }
}
