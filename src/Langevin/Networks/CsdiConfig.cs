using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="Csdi"/>. Its JSON has the original's own keys (<c>base.yaml</c>, in one level).</summary>
public sealed record CsdiConfig
{
    /// <summary>Number of features K (channels of the series), at least 1: 35 for the authors' healthcare model.</summary>
    public int TargetDim { get; init; } = 35;

    /// <summary>Residual blocks, at least 1.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Channels of each block.</summary>
    public int Channels { get; init; } = 64;

    /// <summary>Heads of each attention: it divides the channels.</summary>
    public int Nheads { get; init; } = 8;

    /// <summary>Width of the feed-forward layer of each transformer; the original's is 64 whatever the channels.</summary>
    public int DimFeedforward { get; init; } = 64;

    /// <summary>Width of the embedding of the diffusion step, even and at least 4.</summary>
    public int DiffusionEmbeddingDim { get; init; } = 128;

    /// <summary>Width of the embedding of time, even and at least 2.</summary>
    public int Timeemb { get; init; } = 128;

    /// <summary>Width of the learned embedding of a feature.</summary>
    public int Featureemb { get; init; } = 16;

    /// <summary>Whether the network reads the noisy series alone, and not what is given of it.</summary>
    public bool IsUnconditional { get; init; }

    /// <summary>Whether a block attends over the features; without, each feature's series is filled by itself.</summary>
    public bool FeatureAttention { get; init; } = true;

    /// <summary>Probability of dropping an activation of a transformer while training, in [0, 1); PyTorch's default, which the original trains with.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static CsdiConfig Parse(string json) => ConfigJson.Parse(json, new CsdiConfig(), CsdiJson.Default.CsdiConfig, nameof(Csdi));

    /// <summary>The text of a <c>config.json</c> with <c>_class_name</c> "Csdi".</summary>
    public string ToJson() => ConfigJson.Write(this, CsdiJson.Default.CsdiConfig, nameof(Csdi));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(TargetDim > 0, $"target_dim is {TargetDim}: it must be at least 1.");
        Require(Layers > 0, $"layers is {Layers}: it must be at least 1.");
        Require(Channels > 0 && Nheads > 0 && Channels % Nheads == 0, $"nheads ({Nheads}) must divide channels ({Channels}).");
        Require(DimFeedforward > 0, $"dim_feedforward is {DimFeedforward}: it must be at least 1.");
        Require(DiffusionEmbeddingDim >= 4 && DiffusionEmbeddingDim % 2 == 0, $"diffusion_embedding_dim is {DiffusionEmbeddingDim}: it must be even and at least 4.");
        Require(Timeemb >= 2 && Timeemb % 2 == 0, $"timeemb is {Timeemb}: it must be even and at least 2.");
        Require(Featureemb > 0, $"featureemb is {Featureemb}: it must be at least 1.");
        Require(Dropout is >= 0 and < 1, $"dropout is {Dropout}: it must lie in [0, 1).");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("Csdi: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(CsdiConfig))]
internal sealed partial class CsdiJson : JsonSerializerContext;
