using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Langevin.Cli.Restoration;
using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Hub;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin generate</c>: pictures from prompts, pictures or classes by a published model.</summary>
internal static class GenerateCommand
{
    private sealed class Wishes
    {
        public Option<string> Model { get; } = new("--model", "-m") { Description = "A folder in the diffusers layout: Stable Diffusion 1, 2 or XL, DiT, or a model without prompts.", Required = true };
        public Option<string?> Prompt { get; } = new("--prompt", "-p") { Description = "What is wanted." };
        public Option<string> Negative { get; } = new("--negative") { Description = "What is not wanted.", DefaultValueFactory = _ => "" };
        public Option<string?> Label { get; } = new("--class") { Description = "The class, by name or number, for a model of classes." };
        public Option<int> Count { get; } = new("-n") { Description = "Number of pictures.", DefaultValueFactory = _ => 1 };
        public Option<int> Batch { get; } = new("--batch") { Description = "Pictures made at once; the pictures do not depend on it.", DefaultValueFactory = _ => 1 };
        public Option<int> Steps { get; } = new("--steps") { Description = "Sampling steps.", DefaultValueFactory = _ => 25 };
        public Option<string?> Sampler { get; } = new("--sampler") { Description = $"Sampler; the model's own by default. Others: {string.Join(", ", SamplerChoice.Names)}." };
        public Option<bool> Karras { get; } = new("--karras") { Description = "Space the noise levels as Karras et al. 2022 do it (with --sampler)." };
        public Option<double?> Guidance { get; } = new("--guidance", "-g") { Description = "Guidance scale, 1 for none; 7.5 for prompts and 1 for classes by default." };
        public Option<int?> Height { get; } = new("--height") { Description = "Height in pixels; the picture's or the model's own by default." };
        public Option<int?> Width { get; } = new("--width") { Description = "Width in pixels; the picture's or the model's own by default." };
        public Option<string?> Input { get; } = new("--in", "-i") { Description = "A picture to begin from, to fill in (with --mask), or to enlarge (by a model for that)." };
        public Option<double> Strength { get; } = new("--strength") { Description = "With --in: share of the steps that is walked, in (0, 1]; the larger, the freer.", DefaultValueFactory = _ => 0.8 };
        public Option<string?> Mask { get; } = new("--mask") { Description = "With --in: a picture of its size, white where it is made anew." };
        public Option<string[]> Controls { get; } = Many("--control", "A ControlNet's folder and the picture that steers, FOLDER=PICTURE or FOLDER=PICTURE=WEIGHT; may be given several times.");
        public Option<int> NoiseLevel { get; } = new("--noise-level") { Description = "For a model that enlarges: how much the small picture is noised.", DefaultValueFactory = _ => 20 };
        public Option<int> ClipSkip { get; } = new("--clip-skip") { Description = "Last layers of the text model that are left out." };
        public Option<bool> Long { get; } = new("--long-prompt") { Description = "Read a prompt that is longer than the text model reads at once in stretches." };
        public Option<bool> Weighted { get; } = new("--weighted") { Description = "Read (words:1.3) as counting 1.3 times, (words) 1.1 times and [words] 1/1.1 times." };
        public Option<string[]> Loras { get; } = Many("--lora", "Low-rank changes of the weights, FILE or FILE=WEIGHT; may be given several times.");
        public Option<string[]> Words { get; } = Many("--embedding", "A word of a textual inversion, FILE or FILE=WORD; may be given several times.");
        public Option<string?> Refiner { get; } = new("--refiner") { Description = "XL's refiner, a folder, which makes the last steps." };
        public Option<double> RefineFrom { get; } = new("--refine-from") { Description = "Share of the noise at which the refiner takes over.", DefaultValueFactory = _ => 0.8 };
        public Option<bool> Half { get; } = new("--half") { Description = "Keep weights in half precision: half the memory, a little slower on a processor." };
        public Option<bool> Sequential { get; } = new("--sequential") { Description = "Read the parts one after another, so that only the largest need fit into memory." };
        public Option<int?> Tile { get; } = new("--tile") { Description = "Encode and decode in tiles of this many pixels, for large pictures." };
        public Option<long> Seed { get; } = Options.Seed();
        public Option<int?> Threads { get; } = Options.Threads();
        public Option<bool> Json { get; } = Options.Json();
        public Option<string?> Output { get; } = Options.Out("Folder to write to; 'pictures' by default.");

        public IEnumerable<Option> All => [Model, Prompt, Negative, Label, Count, Batch, Steps, Sampler, Karras, Guidance, Height, Width, Input, Strength, Mask, Controls, NoiseLevel, ClipSkip, Long, Weighted, Loras, Words,
            Refiner, RefineFrom, Half, Sequential, Tile, Seed, Threads, Json, Output];

        private static Option<string[]> Many(string name, string description) => new(name) { Description = description, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
    }

    /// <summary>Makes some pictures, from the first on; told the share that is done.</summary>
    private delegate Tensor Make(int first, int count, Action<double> progress);

    public static Command Create(Terminal terminal)
    {
        var wishes = new Wishes();
        var command = new Command("generate", "Makes pictures with a published model: from a prompt, after a picture, in a hole of one, along edges, or of a class.\n\nExample: langevin generate --model sd15 --prompt \"a photo of a cat\" --steps 25 --sampler dpm++2m --seed 7 -n 4 --out cats");
        foreach (var option in wishes.All) command.Add(option);
        command.SetAction((ParseResult parsed, CancellationToken cancellation) => Task.Run(() =>
        {
            Options.UseThreads(parsed.GetValue(wishes.Threads));
            int n = Options.Positive(parsed.GetValue(wishes.Count), "-n"), atOnce = Options.Positive(parsed.GetValue(wishes.Batch), "--batch");
            Options.Positive(parsed.GetValue(wishes.Steps), "--steps");
            if (parsed.GetValue(wishes.Karras) && parsed.GetValue(wishes.Sampler) is null) throw new ArgumentException("--karras goes with --sampler: the model's own scheduler has a spacing of its own.");
            if (parsed.GetValue(wishes.Tile) is < 64) throw new ArgumentException($"--tile {parsed.GetValue(wishes.Tile)}: a tile has at least 64 pixels.");
            using var scope = NewDisposeScope();
            var folder = ModelFolder.Open(Options.ModelFolder(parsed.GetValue(wishes.Model)!));
            var options = new LoadOptions
            {
                Type = parsed.GetValue(wishes.Half) ? ScalarType.Float16 : null, Sequential = parsed.GetValue(wishes.Sequential), TileSize = parsed.GetValue(wishes.Tile) is { } pixels ? pixels / 8 : null,
            };
            var plan = MemoryPlan.Of(folder, options);
            terminal.Note($"{folder.ClassName}: {plan.Parts.Sum(p => p.Parameters):n0} parameters, {MemoryPlan.Text(plan.Peak)} of weights in memory at once");
            var owned = new Stack<IDisposable>();
            try
            {
                var make = folder.TakesPrompts ? Prompted(parsed, wishes, options, owned, cancellation) : Labelled(parsed, wishes, options, owned, cancellation);
                string target = parsed.GetValue(wishes.Output) ?? "pictures";
                var clock = Stopwatch.StartNew();
                var written = new List<string>();
                using (var progress = new ProgressLine(terminal, "generating"))
                    for (int first = 0; first < n; first += atOnce)
                    {
                        int length = Math.Min(atOnce, n - first);
                        using var pictures = make(first, length, share => progress.Report((first + share * length) / n));
                        for (int i = 0; i < length; i++)
                        {
                            using var one = pictures.narrow(0, i, 1);
                            written.Add(Path.Combine(target, $"picture-seed{parsed.GetValue(wishes.Seed)}-{first + i:d4}.png"));
                            ImageGrid.Save(written[^1], one, 1, 0);
                        }
                    }
                if (parsed.GetValue(wishes.Json)) terminal.Line(new JsonObject { ["files"] = new JsonArray([.. written.Select(w => (JsonNode)w)]), ["seconds"] = clock.Elapsed.TotalSeconds }.ToJsonString());
                else terminal.Line($"{n} picture{(n == 1 ? "" : "s")} in {clock.Elapsed.TotalSeconds:f1} s: {string.Join(", ", written.Take(3))}{(n > 3 ? $" and {n - 3} more" : "")}");
                return App.Ok;
            }
            finally
            {
                while (owned.TryPop(out var last)) last.Dispose();
            }
        }, CancellationToken.None));
        return command;
    }

    private static Make Prompted(ParseResult parsed, Wishes wishes, LoadOptions options, Stack<IDisposable> owned, CancellationToken cancellation)
    {
        string prompt = parsed.GetValue(wishes.Prompt) ?? throw new ArgumentException("This model makes pictures from prompts: give one with --prompt.");
        if (parsed.GetValue(wishes.Label) is not null) throw new ArgumentException("--class is for models of classes; this one reads prompts.");
        T Own<T>(T thing) where T : IDisposable
        {
            owned.Push(thing);
            return thing;
        }
        var model = Own(TextToImage.Load(Options.ModelFolder(parsed.GetValue(wishes.Model)!), options));
        foreach (var (file, weight) in parsed.GetValue(wishes.Loras)!.Select(l => Split(l, "--lora"))) model.Apply(Own(LoraWeights.Load(file)), weight is null ? 1 : Number(weight, "--lora " + file)); // for as long as the model lives
        foreach (var (file, word) in parsed.GetValue(wishes.Words)!.Select(w => Split(w, "--embedding"))) model.Add(Own(TextualInversion.Load(file, word)));
        var request = new TextToImageRequest
        {
            Prompts = [prompt], Negative = parsed.GetValue(wishes.Negative)!, Guidance = parsed.GetValue(wishes.Guidance) ?? 7.5, Steps = parsed.GetValue(wishes.Steps), Seed = parsed.GetValue(wishes.Seed),
            Reading = new(parsed.GetValue(wishes.ClipSkip), parsed.GetValue(wishes.Long), parsed.GetValue(wishes.Weighted)),
            Height = parsed.GetValue(wishes.Height), Width = parsed.GetValue(wishes.Width), Strength = parsed.GetValue(wishes.Strength), NoiseLevel = parsed.GetValue(wishes.NoiseLevel),
        };
        if (parsed.GetValue(wishes.Input) is { } input)
        {
            request = request with { Picture = Fitted(Pictures.Read(input, model.PictureChannels, null, "picture"), request, model) };
            int scale = model.Enlarges ? model.Factor : 1;
            request = request with { Height = (int)request.Picture.size(2) * scale, Width = (int)request.Picture.size(3) * scale };
        }
        else if (parsed.GetValue(wishes.Mask) is not null) throw new ArgumentException("--mask goes with --in.");
        if (parsed.GetValue(wishes.Mask) is { } mask) request = request with { Mask = Fitted(Pictures.Read(mask, 1, null, "mask"), request, model).gt(0).to(ScalarType.Float32) };
        var controls = new List<Control>();
        foreach (string control in parsed.GetValue(wishes.Controls)!)
        {
            string[] parts = control.Split('=');
            if (parts.Length is not (2 or 3)) throw new ArgumentException($"--control {control}: give FOLDER=PICTURE or FOLDER=PICTURE=WEIGHT.");
            var net = Own(ModelFolder.LoadAlone(Options.ModelFolder(parts[0]), json => new ControlNet(ControlNetConfig.Parse(json)), options.Type));
            var picture = Pictures.Read(parts[1], net.Config.ConditioningChannels, null, "picture");
            if (request.Height is null && request.Width is null && request.Picture is null) request = request with { Height = (int)picture.size(2) / model.Multiple * model.Multiple, Width = (int)picture.size(3) / model.Multiple * model.Multiple };
            controls.Add(new(net, (Fitted(picture, request, model) + 1) / 2, parts.Length == 3 ? Number(parts[2], "--control " + control) : 1));
        }
        request = request with { Controls = controls };
        if (parsed.GetValue(wishes.Sampler) is { } name) model.Scheduler = model.Scheduler.Under(name, parsed.GetValue(wishes.Karras));
        if (parsed.GetValue(wishes.Refiner) is not { } refining) return (first, count, progress) => model.Generate(Of(request, first, count), progress, cancellation);

        var refiner = Own(TextToImage.Load(Options.ModelFolder(refining), options));
        refiner.Scheduler = model.Scheduler;
        double from = parsed.GetValue(wishes.RefineFrom);
        return (first, count, progress) =>
        {
            using var code = model.Codes(Of(request, first, count) with { Until = from }, share => progress(from * share), cancellation);
            return refiner.Generate(Of(request, first, count) with { Picture = null, Mask = null, Controls = [], Code = code, From = from }, share => progress(from + (1 - from) * share), cancellation);
        };

        TextToImageRequest Of(TextToImageRequest all, int first, int count) => all with { Prompts = [.. Enumerable.Repeat(prompt, count)], First = first };
    }

    private static Make Labelled(ParseResult parsed, Wishes wishes, LoadOptions options, Stack<IDisposable> owned, CancellationToken cancellation)
    {
        foreach (var (option, given) in new (Option, bool)[]
        {
            (wishes.Prompt, parsed.GetValue(wishes.Prompt) is not null), (wishes.Input, parsed.GetValue(wishes.Input) is not null), (wishes.Mask, parsed.GetValue(wishes.Mask) is not null),
            (wishes.Controls, parsed.GetValue(wishes.Controls)!.Length > 0), (wishes.Loras, parsed.GetValue(wishes.Loras)!.Length > 0), (wishes.Refiner, parsed.GetValue(wishes.Refiner) is not null),
        })
            if (given) throw new ArgumentException($"{option.Name} is for models that read prompts; '{parsed.GetValue(wishes.Model)}' does not.");
        var model = LabelToImage.Load(Options.ModelFolder(parsed.GetValue(wishes.Model)!), options);
        owned.Push(model);
        if (parsed.GetValue(wishes.Sampler) is { } name) model.Scheduler = model.Scheduler.Under(name, parsed.GetValue(wishes.Karras));
        long? label = parsed.GetValue(wishes.Label) is not { } text ? null : model.Names.TryGetValue(text, out long known) || long.TryParse(text, out known) ? known
            : throw new ArgumentException($"--class {text}: no such class{(model.Names.Count > 0 ? $"; the nearest is {Spelling.Nearest(text, model.Names.Keys)}" : "")}.");
        return (first, count, progress) => model.Generate(new()
        {
            Count = count, Labels = label is { } l ? [.. Enumerable.Repeat(l, count)] : null, Guidance = parsed.GetValue(wishes.Guidance) ?? 1, Steps = parsed.GetValue(wishes.Steps), Seed = parsed.GetValue(wishes.Seed), First = first,
        }, progress, cancellation);
    }

    // Scaled to the wanted size where one is given; else cut at the edges to what the model takes.
    private static Tensor Fitted(Tensor picture, TextToImageRequest request, TextToImage model)
    {
        int scale = model.Enlarges ? model.Factor : 1, multiple = model.Multiple / scale;
        var (height, width) = (request.Height / scale ?? picture.size(2) / multiple * multiple, request.Width / scale ?? picture.size(3) / multiple * multiple);
        if (height < 1 || width < 1) throw new ArgumentException($"A picture of {picture.size(3)}×{picture.size(2)} is too small: the model takes multiples of {multiple}.");
        if (picture.size(2) == height && picture.size(3) == width) return picture;
        return request.Height is null && request.Width is null ? picture.narrow(2, (picture.size(2) - height) / 2, height).narrow(3, (picture.size(3) - width) / 2, width)
            : nn.functional.interpolate(picture, [height, width], mode: InterpolationMode.Bilinear, align_corners: false, antialias: true);
    }

    private static (string File, string? Value) Split(string text, string option)
    {
        int at = text.LastIndexOf('=');
        if (at < 0 || File.Exists(text)) return (text, null);
        return at < text.Length - 1 ? (text[..at], text[(at + 1)..]) : throw new ArgumentException($"{option} {text}: nothing follows '='.");
    }

    private static double Number(string text, string what) => double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
        ? number : throw new ArgumentException($"{what}: what follows '=' must be a number.");
}
