using System.CommandLine;
using System.Text.Json.Nodes;
using Langevin.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin models show FOLDER</c>: what a model folder holds.</summary>
internal static class ModelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var folder = new Argument<string>("folder") { Description = "A model folder, or a run's folder." };
        var json = Options.Json();
        var show = new Command("show", "Says what a model folder holds, and checks that it loads.") { folder, json };
        show.SetAction((ParseResult parsed) =>
        {
            using var model = DiffusionModel.Load(parsed.GetValue(folder)!);
            var facts = Facts(model);
            if (parsed.GetValue(json)) terminal.Line(new JsonObject(facts.Select(f => KeyValuePair.Create(f.Name, (JsonNode?)f.Value))).ToJsonString());
            else terminal.Table(["what", "value"], facts.Select(f => (string[])[f.Name, f.Value]));
            return App.Ok;
        });
        return new Command("models", "Looks into model folders.") { show };
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
