using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="ResidualMlp"/>; its JSON has the keys <c>dimensions</c>, <c>hidden</c>, <c>blocks</c> and <c>class_count</c>.</summary>
public sealed record ResidualMlpConfig
{
    /// <summary>Length D of the vectors, at least 1.</summary>
    public int Dimensions { get; init; } = 2;

    /// <summary>Width of the hidden layers and of the embedding, at least 2.</summary>
    public int Hidden { get; init; } = 128;

    /// <summary>Residual blocks, at least 1.</summary>
    public int Blocks { get; init; } = 3;

    /// <summary>Number of classes, 0 for an unconditional network; the class table has one more row, which label −1 ("no class") reads.</summary>
    public int ClassCount { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static ResidualMlpConfig Parse(string json) => ConfigJson.Parse(json, new ResidualMlpConfig(), ResidualMlpJson.Default.ResidualMlpConfig, nameof(ResidualMlp));

    /// <summary>The text of a <c>config.json</c> with <c>_class_name</c> "ResidualMlp".</summary>
    public string ToJson() => ConfigJson.Write(this, ResidualMlpJson.Default.ResidualMlpConfig, nameof(ResidualMlp));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(Dimensions > 0, $"dimensions is {Dimensions}: it must be at least 1.");
        Require(Hidden > 1, $"hidden is {Hidden}: it must be at least 2.");
        Require(Blocks > 0, $"blocks is {Blocks}: it must be at least 1.");
        Require(ClassCount >= 0, $"class_count is {ClassCount}: it must be 0 (no classes) or more.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("ResidualMlp: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(ResidualMlpConfig))]
internal sealed partial class ResidualMlpJson : JsonSerializerContext;
