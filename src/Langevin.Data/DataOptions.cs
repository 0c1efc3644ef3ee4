namespace Langevin.Data;

/// <summary>How <see cref="Datasets.Open"/> reads a set. Options that a format has no use for are ignored.</summary>
public sealed record DataOptions
{
    /// <summary>"train" or "test"; null takes the training part where there are two, else what there is.</summary>
    public string? Split { get; init; }

    /// <summary>Procedural sets: how many items to draw. Files: keep this many at random, decided by <see cref="Seed"/>. Null: the set's own number.</summary>
    public int? Count { get; init; }

    /// <summary>Decides what procedural sets show and which items <see cref="Count"/> keeps.</summary>
    public long Seed { get; init; }

    /// <summary>Image files: scale the shorter side to this many pixels and cut out the middle square. Null: all must have one size.</summary>
    public int? Size { get; init; }

    /// <summary>Image files: true for one channel, false for RGB, null for one channel where every file is grey.</summary>
    public bool? Grey { get; init; }

    /// <summary>CSV: the column of class labels, by name or number (1 is the first, −1 the last). Null: none.</summary>
    public string? Label { get; init; }

    /// <summary>The most bytes a set may take in memory.</summary>
    public long MaxBytes { get; init; } = int.MaxValue;

    internal bool WantsTest => Split switch
    {
        null or "train" => false,
        "test" => true,
        _ => throw new ArgumentException($"Split '{Split}': expected 'train' or 'test'."),
    };
}
