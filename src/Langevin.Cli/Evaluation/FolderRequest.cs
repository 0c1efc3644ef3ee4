using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>What <c>evaluate --real --fake</c> was asked for.</summary>
internal sealed record FolderRequest
{
    public required string Real { get; init; }
    public required string Fake { get; init; }

    /// <summary>Names of measures; empty for those that belong to the kind of content.</summary>
    public IReadOnlyList<string> Measures { get; init; } = [];

    /// <summary>The user's weight files; what each is, its keys tell.</summary>
    public IReadOnlyList<string> Weights { get; init; } = [];
    public int? Size { get; init; }
    public bool? Grey { get; init; }
    public string? Label { get; init; }
    public int Neighbours { get; init; } = 5;
    public int Resamples { get; init; } = 200;
    public double Level { get; init; } = 0.95;
    public long Seed { get; init; }
    public Device Device { get; init; } = CPU;
}
