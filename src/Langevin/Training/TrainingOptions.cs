namespace Langevin.Training;

/// <summary>How to train; immutable.</summary>
public sealed record TrainingOptions
{
    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>The learning rate over time, as a factor of the peak.</summary>
    public LearningRateSchedule Schedule { get; init; } = new ConstantSchedule();

    /// <summary>AdamW's decoupled weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's β_2.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Largest global norm of the gradient; 0 for no clipping.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>How the weights that samples are drawn with are averaged.</summary>
    public EmaDecay Ema { get; init; } = new WarmUpEma();

    /// <summary>Batches whose gradients are added up before a step of the optimiser.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Share of samples whose condition is dropped, so that classifier-free guidance can be used.</summary>
    public double ConditionDropout { get; init; } = 0.1;

    /// <summary>Decides noise, times and dropout: step k of a run depends on it and on k alone.</summary>
    public long Seed { get; init; }
}
