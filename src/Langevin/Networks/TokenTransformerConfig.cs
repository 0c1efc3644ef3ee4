using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="TokenTransformer"/>; the keys of its JSON are the properties' names in snake_case.</summary>
public sealed record TokenTransformerConfig
{
    /// <summary>Channels of the input: the states of a token, at least 1.</summary>
    public int Channels { get; init; } = 28;

    /// <summary>Channels of the output; null for those of the input.</summary>
    public int? OutChannels { get; init; }

    /// <summary>Longest sequence, at least 1.</summary>
    public int Length { get; init; } = 64;

    /// <summary>Width of the hidden vectors, a multiple of twice the heads: positions turn pairs of channels.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Heads of the attention.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Blocks, at least 1.</summary>
    public int Blocks { get; init; } = 3;

    /// <summary>Whether a token sees only those before it and itself.</summary>
    public bool Causal { get; init; }

    /// <summary>Number of classes, 0 for an unconditional network; label −1 is "no class".</summary>
    public int ClassCount { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static TokenTransformerConfig Parse(string json) => ConfigJson.Parse(json, new TokenTransformerConfig(), TokenTransformerJson.Default.TokenTransformerConfig, nameof(TokenTransformer));

    /// <summary>The text of a <c>config.json</c> with <c>_class_name</c> "TokenTransformer".</summary>
    public string ToJson() => ConfigJson.Write(this, TokenTransformerJson.Default.TokenTransformerConfig, nameof(TokenTransformer));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(Channels > 0 && OutChannels is null or > 0, $"channels ({Channels}) and out_channels ({OutChannels}) must be at least 1.");
        Require(Length > 0, $"length is {Length}: it must be at least 1.");
        Require(Heads > 0 && Width > 1 && Width % (2 * Heads) == 0, $"width ({Width}) must be a multiple of twice the heads ({Heads}).");
        Require(Blocks > 0, $"blocks is {Blocks}: it must be at least 1.");
        Require(ClassCount >= 0, $"class_count is {ClassCount}: it must be 0 (no classes) or more.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("TokenTransformer: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(TokenTransformerConfig))]
internal sealed partial class TokenTransformerJson : JsonSerializerContext;
