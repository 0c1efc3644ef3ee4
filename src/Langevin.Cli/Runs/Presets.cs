using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Networks;
using Langevin.Systems.Shared;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Runs;

/// <summary>The recipe a data set gets when nothing else is asked for: it fits the data's shape and a few minutes on two cores.</summary>
internal static class Presets
{
    /// <summary>The preset of a data set under a formulation.</summary>
    public static Recipe For(IDataset data, string name, string formulation)
    {
        var statistics = Measure(data);
        var recipe = new Recipe
        {
            Data = name,
            Formulation = new()
            {
                Name = formulation,
                // v stays finite and well scaled at every noise level, so a short training learns what to draw as well as how.
                PredictionType = formulation is "ddpm" or "sde-vp" or "sde-subvp" ? "v_prediction" : "epsilon",
                Preconditioned = formulation is "ncsn" or "sde-ve",
                SigmaData = Math.Round(statistics.Std, 3),
                Steps = formulation == "ncsn" ? 100 : 1000,
                LogSigmaMean = -0.4,
                SigmaMin = formulation == "edm" ? 0.002 : 0.01,
                // NCSN's largest level is the largest distance between two samples (Song & Ermon 2020, technique 1).
                SigmaMax = formulation is "ncsn" or "sde-ve" ? Math.Ceiling(statistics.Diameter) : 80,
            },
        };
        return data.ItemShape.Length switch
        {
            3 => recipe with { Steps = 600, BatchSize = 32, LearningRate = 2e-3, Guidance = data.ClassCount > 0 ? 1.5 : 1 },
            _ => recipe with
            {
                Steps = 4000, BatchSize = 512, LearningRate = 2e-3, EmaDecay = 0.999, SampleEvery = 0, CheckpointEvery = 2000, ConditionDropout = 0.1,
            },
        };
    }

    /// <summary>The recipe with its network filled in, when it names none.</summary>
    public static Recipe WithNetwork(this Recipe recipe, IDataset data)
    {
        if (recipe.Network is not null) return recipe;
        int? classes = recipe.ClassConditional && data.ClassCount > 0 ? data.ClassCount : null;
        bool explodes = recipe.Formulation is { Name: "ncsn" or "sde-ve", Preconditioned: false };
        string json = data.ItemShape switch
        {
            [var c, var h, var w] => SmallNetworks.Image((int)c, (int)h, (int)w, classes, explodes, recipe.Formulation.LearnedVariance).ToJson(),
            [var d] => new ResidualMlpConfig { Dimensions = (int)d, ClassCount = classes ?? 0 }.ToJson(),
            [var c, var l] => new UNet1DConfig { InChannels = (int)c, OutChannels = (int)c, ClassCount = classes ?? 0 }.ToJson(),
            _ => throw new ArgumentException($"Data of shape [{string.Join(", ", data.ItemShape)}] have no preset network: give one with --config."),
        };
        return recipe with { Network = JsonNode.Parse(json)!.AsObject() };
    }

    // Spread of single values, and the largest distance between two of some samples.
    private static (double Std, double Diameter) Measure(IDataset data)
    {
        using var scope = NewDisposeScope();
        int count = Math.Min(512, data.Count);
        using var batch = data.Get([.. Enumerable.Range(0, count).Select(i => (long)i * data.Count / count)], 0);
        var flat = batch.Samples.flatten(1);
        return (flat.std().item<float>(), torch.cdist(flat, flat).max().item<float>());
    }
}
