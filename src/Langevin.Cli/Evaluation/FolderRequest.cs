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

    /// <summary>The kind of content, where it is not to be told by the files.</summary>
    public string? Kind { get; init; }

    /// <summary>Points of each cloud; as many as the smallest has, at most 2,048, where null.</summary>
    public int? Points { get; init; }

    /// <summary>How each cloud is scaled: none, box or ball.</summary>
    public string Normalise { get; init; } = "none";
    public int Neighbours { get; init; } = 5;
    public int Resamples { get; init; } = 200;
    public double Level { get; init; } = 0.95;
    public long Seed { get; init; }
    public Device Device { get; init; } = CPU;
}
