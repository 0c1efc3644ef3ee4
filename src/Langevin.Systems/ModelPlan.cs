using Langevin.Data;
using Langevin.Formulations;
using Langevin.Networks;

namespace Langevin.Systems;

/// <summary>A model to be trained under one of the formulations. Equal plans are trained once, whichever systems ask.</summary>
public sealed record ModelPlan
{
    /// <summary>A name for its folder.</summary>
    public required string Name { get; init; }

    /// <summary>What it learns from.</summary>
    public required IDataset Data { get; init; }

    /// <summary>How it is set up.</summary>
    public required FormulationOptions Formulation { get; init; }

    /// <summary>Builds its network.</summary>
    public required Func<Network> Network { get; init; }

    /// <summary>Steps of training.</summary>
    public required int Steps { get; init; }

    /// <summary>Samples a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Peak learning rate; it rises over 20 steps and falls along a cosine.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Limit of the decay of the averaged weights.</summary>
    public double EmaDecay { get; init; } = 0.995;

    /// <summary>Whether the network is told the classes.</summary>
    public bool Labelled { get; init; }
}

/// <summary>How a module of any kind is trained.</summary>
/// <param name="Steps">Steps of training.</param>
public sealed record FitPlan(int Steps)
{
    /// <summary>Peak learning rate; it rises over 20 steps and falls along a cosine.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Largest global norm of the gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Limit of the decay of the averaged weights, which the module has in the end; 0 keeps the last ones.</summary>
    public double EmaDecay { get; init; } = 0.995;

    /// <summary>AdamW's decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;
}
