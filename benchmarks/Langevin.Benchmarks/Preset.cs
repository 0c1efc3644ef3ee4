using Langevin.Cli.Runs;
using Langevin.Data;
using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>What <c>langevin train NAME</c> would train: its network, formulation and one batch of its data.</summary>
internal sealed class Preset : IDisposable
{
    private Preset(string name, int items)
    {
        var data = Datasets.Open(name, new() { Count = items });
        Name = name;
        Recipe = Presets.For(data, name, "ddpm").WithNetwork(data);
        Formulation = Formulation.Create(Recipe.Formulation);
        random.manual_seed(0);
        Network = NetworkConfig.Create(Recipe.Network!.ToJsonString());
        using var batch = data.Get([.. Enumerable.Range(0, Recipe.BatchSize).Select(i => (long)i % data.Count)], 0);
        Samples = batch.Samples.alias().DetachFromDisposeScope();
        Labels = batch.Labels!.alias().DetachFromDisposeScope();
    }

    public static Preset Of(string name) => new(name, 640);

    public string Name { get; }
    public Recipe Recipe { get; }
    public Formulation Formulation { get; }
    public Network Network { get; }

    /// <summary>Clean data [N, C, H, W].</summary>
    public Tensor Samples { get; }

    /// <summary>int64 [N].</summary>
    public Tensor Labels { get; }

    public Condition Condition => Condition.OfLabel(Labels);

    /// <summary>A trainer with the recipe's numbers.</summary>
    public Trainer Trainer() => new(Formulation.Denoiser(Network), Formulation.Objective, Formulation.Times, new()
    {
        LearningRate = Recipe.LearningRate, Beta2 = Recipe.Beta2, ClipNorm = Recipe.ClipNorm, Ema = new WarmUpEma(Recipe.EmaDecay), ConditionDropout = Recipe.ConditionDropout,
    });

    /// <summary>The same batch for ever.</summary>
    public IEnumerable<TrainingBatch> Batches()
    {
        while (true) yield return new(Samples, Condition);
    }

    public void Dispose()
    {
        Network.Dispose();
        Samples.Dispose();
        Labels.Dispose();
    }
}
