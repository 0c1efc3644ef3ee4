namespace Langevin.Metrics.Judging;

/// <summary>How the judge's extractor is made. Part of the cache key: another value makes another judge.</summary>
public sealed record JudgeOptions
{
    /// <summary>Optimiser steps of the classifier; null takes about 8 passes over the data, from 300 to 3,000 steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Samples a step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Peak learning rate of the one-cycle schedule.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Decoupled weight decay of AdamW.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Largest random shift in training, as a share of the side: 1/14 is 2 pixels of 28.</summary>
    public double Shift { get; init; } = 1.0 / 14;

    /// <summary>Components of the extractor for data without labels.</summary>
    public int Components { get; init; } = 64;

    /// <summary>Seed of initialisation, batches and shifts.</summary>
    public long Seed { get; init; }
}

/// <summary>What a report computes and with how many repetitions.</summary>
public sealed record ReportOptions
{
    /// <summary>k of precision, recall, density and coverage.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>Bootstrap resamples of the Fréchet distance.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>Confidence level of all intervals.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>Random draws of equal-sized sets for the yardstick.</summary>
    public int Draws { get; init; } = 10;

    /// <summary>Subsets of the kernel distance.</summary>
    public int Subsets { get; init; } = 50;

    /// <summary>Samples of a subset of the kernel distance.</summary>
    public int SubsetSize { get; init; } = 500;

    /// <summary>Percentile of the memorisation check.</summary>
    public double Percentile { get; init; } = 1;

    /// <summary>Closest pairs to name.</summary>
    public int Pairs { get; init; } = 8;

    /// <summary>Seed of all draws.</summary>
    public long Seed { get; init; }
}
