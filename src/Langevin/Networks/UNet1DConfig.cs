using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="UNet1D"/>; the keys of its JSON are the properties' names in snake_case.</summary>
public sealed record UNet1DConfig
{
    /// <summary>Channels of the input, at least 1.</summary>
    public int InChannels { get; init; } = 1;

    /// <summary>Channels of the output, at least 1.</summary>
    public int OutChannels { get; init; } = 1;

    /// <summary>Channels of each level, from the finest; each level but the first has half the length of the one before.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [32, 64, 128];

    /// <summary>Residual blocks a level of the encoder, at least 1; the decoder has one more.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>Groups of the norms: it divides every level's channels.</summary>
    public int NormNumGroups { get; init; } = 8;

    /// <summary>Channels of a head of the attention at the bottom: it divides the last level's channels.</summary>
    public int AttentionHeadDim { get; init; } = 32;

    /// <summary>Number of classes, 0 for an unconditional network; the class table has one more row, which label −1 ("no class") reads.</summary>
    public int ClassCount { get; init; }

    /// <summary>Probability of dropping an activation in residual blocks while training, in [0, 1).</summary>
    public double Dropout { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static UNet1DConfig Parse(string json) => ConfigJson.Parse(json, new UNet1DConfig(), UNet1DJson.Default.UNet1DConfig, nameof(UNet1D));

    /// <summary>The text of a <c>config.json</c> with <c>_class_name</c> "UNet1D".</summary>
    public string ToJson() => ConfigJson.Write(this, UNet1DJson.Default.UNet1DConfig, nameof(UNet1D));

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(UNet1DConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(InChannels > 0 && OutChannels > 0, $"in_channels ({InChannels}) and out_channels ({OutChannels}) must be at least 1.");
        Require(BlockOutChannels is { Count: > 0 and < 31 }, "block_out_channels must give the channels of 1 to 30 levels.");
        Require(LayersPerBlock > 0, $"layers_per_block is {LayersPerBlock}: it must be at least 1.");
        Require(NormNumGroups > 0 && BlockOutChannels.All(c => c > 0 && c % NormNumGroups == 0),
            $"norm_num_groups ({NormNumGroups}) must divide each of block_out_channels ({string.Join(", ", BlockOutChannels)}).");
        Require(AttentionHeadDim > 0 && BlockOutChannels[^1] % AttentionHeadDim == 0,
            $"attention_head_dim ({AttentionHeadDim}) must divide the last of block_out_channels ({BlockOutChannels[^1]}).");
        Require(ClassCount >= 0, $"class_count is {ClassCount}: it must be 0 (no classes) or more.");
        Require(Dropout is >= 0 and < 1, $"dropout is {Dropout}: it must lie in [0, 1).");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("UNet1D: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(UNet1DConfig))]
internal sealed partial class UNet1DJson : JsonSerializerContext;
