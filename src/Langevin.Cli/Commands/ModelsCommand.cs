using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Cli.Runs;
using Langevin.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin models</c>: what a model's folder holds, and models from the public hub.</summary>
internal static class ModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("folder") { Description = "A model folder, or a run's folder." };
        var json = Options.Json();
        var probe = new Option<string?>("--probe") { Description = "Also writes inputs of the network and what it answers to this .safetensors file, for a check by another program." };
        var show = new Command("show", "Says what a model folder holds, and checks that it loads.") { folder, json, probe };
        show.SetAction((ParseResult parsed) =>
        {
            string place = Options.ModelFolder(parsed.GetValue(folder)!);
            if (ModelFolder.IsPublished(place)) ShowParts(terminal, place, parsed.GetValue(json));
            else
            {
                using var model = DiffusionModel.Load(place);
                var facts = Facts(model);
                if (parsed.GetValue(probe) is { } file) Probe(model, file);
                if (parsed.GetValue(json)) terminal.Line(new JsonObject(facts.Select(f => KeyValuePair.Create(f.Name, (JsonNode?)f.Value))).ToJsonString());
                else terminal.Table(["what", "value"], facts.Select(f => (string[])[f.Name, f.Value]));
            }
            return App.Ok;
        });
        return new Command("models", "Looks into model folders, and downloads models.") { show, Get(terminal) };
    }

    private static Command Get(Terminal terminal)
    {
        var name = new Argument<string>("model") { Description = "owner/name on the public hub." };
        var revision = new Option<string>("--revision") { Description = "A branch, tag or commit.", DefaultValueFactory = _ => "main" };
        var include = new Option<string[]>("--include") { Description = "Patterns of the files that are wanted; configurations, tokenizers and weights by default.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var offline = new Option<bool>("--offline") { Description = "Use what has been downloaded and ask nobody (also HF_HUB_OFFLINE=1)." };
        var get = new Command("get", "Downloads a model into the hub's own cache, or what is missing of it, and prints its folder. HF_ENDPOINT, HF_HOME, HF_HUB_CACHE and HF_TOKEN mean what they mean to the hub's tools.\n\nExample: langevin models get madebyollin/taesd") { name, revision, include, offline };
        get.SetAction(async (ParseResult parsed, CancellationToken cancellation) =>
        {
            using var hub = new ModelHub(offline: parsed.GetValue(offline) ? true : null);
            using var progress = new ProgressLine(terminal, "downloading");
            string place = await hub.Get(parsed.GetValue(name)!, parsed.GetValue(revision)!, parsed.GetValue(include), p => progress.Report((p.Index + (p.Size > 0 ? (double)p.Bytes / p.Size : 0)) / p.Count), cancellation);
            terminal.Line(place);
            return App.Ok;
        });
        return get;
    }

    // Four inputs drawn with a fixed seed, at noise levels from little to much.
    private static void Probe(DiffusionModel model, string file)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var generator = new Generator(1);
        long[] shape = [4, .. model.Description.ItemShape];
        var x = randn(shape, generator: generator);
        bool table = model.Denoiser.Preconditioning.Noise(model.Denoiser.Process, model.Denoiser.Process.MaxTime) > 10;
        var noise = tensor(table ? new float[] { 1, 250, 500, 999 } : [0.01f, 0.1f, 0.5f, 1]);
        var all = new Dictionary<string, Tensor> { ["x"] = x, ["noise"] = noise };
        var condition = Condition.None;
        if (model.Description.ClassNames.Count > 0) condition = Condition.OfLabel(all["label"] = tensor(new long[] { 0, 1, -1, 0 }));
        all["y"] = model.Network.call(x, noise, condition);
        SafeTensors.Save(file, all);
    }

    private static void ShowParts(Terminal terminal, string place, bool json)
    {
        var folder = ModelFolder.Open(place);
        var plan = MemoryPlan.Of(folder);
        long Peak(LoadOptions options) => plan.Under(options).Peak;
        var (half, one, least) = (Peak(new() { Type = ScalarType.Float16 }), Peak(new() { Sequential = true }), Peak(new() { Type = ScalarType.Float16, Sequential = true }));
        if (json)
        {
            terminal.Line(new JsonObject
            {
                ["class"] = folder.ClassName,
                ["parts"] = new JsonArray([.. plan.Parts.Select(p => (JsonNode)new JsonObject { ["name"] = p.Name, ["class"] = p.ClassName, ["parameters"] = p.Parameters, ["fileType"] = p.FileType, ["fileBytes"] = p.FileBytes })]),
                ["memory"] = new JsonObject { ["whole"] = plan.Peak, ["half"] = half, ["sequential"] = one, ["halfSequential"] = least },
            }.ToJsonString());
            return;
        }
        terminal.Line(folder.ClassName);
        terminal.Table(["part", "class", "parameters", "precision", "on disk"], plan.Parts.Select(p => (string[])[p.Name, p.ClassName, p.Parameters.ToString("n0"), p.FileType, MemoryPlan.Text(p.FileBytes)]));
        terminal.Table(["memory for weights", "single precision", "half (--half)"], [["all parts", MemoryPlan.Text(plan.Peak), MemoryPlan.Text(half)], ["one after another (--sequential)", MemoryPlan.Text(one), MemoryPlan.Text(least)]]);
    }

    private static List<(string Name, string Value)> Facts(DiffusionModel model)
    {
        var d = model.Description;
        long parameters = model.Network.parameters().Sum(p => p.numel());
        using var scope = NewDisposeScope();
        double sum = model.Network.state_dict().Values.Sum(w => w.to(ScalarType.Float64).abs().sum().item<double>());
        return
        [
            ("network", model.Network.GetType().Name),
            ("parameters", parameters.ToString("n0")),
            ("sum of |w|", sum.ToString("f6", System.Globalization.CultureInfo.InvariantCulture)),
            ("size in memory", $"{parameters * 4 / (double)(1 << 20):f1} MiB in float32"),
            ("formulation", d.Formulation.Name),
            ("sample shape", string.Join(" × ", d.ItemShape)),
            ("classes", d.ClassNames.Count == 0 ? "none" : $"{d.ClassNames.Count}: {string.Join(", ", d.ClassNames)}"),
            ("trained on", d.Data),
            ("trained steps", d.TrainedSteps.ToString("n0")),
            ("samplers", string.Join(", ", model.Formulation.SamplerNames)),
        ];
    }
}
