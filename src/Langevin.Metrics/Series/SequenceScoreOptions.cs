namespace Langevin.Metrics.Series;

/// <summary>How the networks behind <see cref="DiscriminativeScore"/> and <see cref="PredictiveScore"/> are trained. Scores compare only at equal options.</summary>
public sealed record SequenceScoreOptions
{
    /// <summary>Units of the GRU; null takes half the channels as published, at least 1. Few channels make a weak judge: then give more units.</summary>
    public int? Hidden { get; init; }

    /// <summary>Optimiser steps; null takes the published 2,000 of the classifier and 5,000 of the predictor.</summary>
    public int? Steps { get; init; }

    /// <summary>Sequences a step, of each set.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Learning rate of Adam.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Share of each set that the classifier is tested on and not trained on.</summary>
    public double HeldOut { get; init; } = 0.2;

    /// <summary>Confidence level of the intervals.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>Seed of the weights, the split and the batches.</summary>
    public long Seed { get; init; }

    internal int HiddenFor(long channels) => Hidden ?? (int)Math.Max(1, channels / 2);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Hidden ?? 1, 1, nameof(Hidden));
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps ?? 1, 1, nameof(Steps));
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        if (!(HeldOut is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(HeldOut), HeldOut, "must be between 0 and 1, e.g. 0.2");
        Interval.CheckLevel(Level);
    }
}
