using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="NoisyClassifier"/>; its JSON has keys in snake_case.</summary>
public sealed record NoisyClassifierConfig
{
    /// <summary>Shape of one sample: [D] for vectors, or [C, H, W] for images.</summary>
    public IReadOnlyList<int> ItemShape { get; init; } = [2];

    /// <summary>Number of classes, at least 2.</summary>
    public int ClassCount { get; init; } = 2;

    /// <summary>Width of the first layer, a multiple of 4 for images.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Residual blocks, at least 1; for images each but the first halves the resolution, and the width doubles up to four times.</summary>
    public int Blocks { get; init; } = 3;

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static NoisyClassifierConfig Parse(string json) =>
        ConfigJson.Parse(json, new NoisyClassifierConfig(), NoisyClassifierJson.Default.NoisyClassifierConfig, nameof(NoisyClassifier));

    /// <summary>The text of a <c>config.json</c> with <c>_class_name</c> "NoisyClassifier".</summary>
    public string ToJson() => ConfigJson.Write(this, NoisyClassifierJson.Default.NoisyClassifierConfig, nameof(NoisyClassifier));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(ItemShape.Count is 1 or 3 && ItemShape.All(n => n > 0), $"item_shape is [{string.Join(", ", ItemShape)}]: it must be [D] or [C, H, W].");
        Require(ClassCount > 1, $"class_count is {ClassCount}: it must be at least 2.");
        Require(Width >= 4 && Width % 4 == 0, $"width is {Width}: it must be a multiple of 4.");
        Require(Blocks > 0, $"blocks is {Blocks}: it must be at least 1.");
        Require(ItemShape.Count == 1 || ItemShape.Skip(1).All(n => n % (1 << (Blocks - 1)) == 0), $"{string.Join('×', ItemShape.Skip(1))} pixels cannot be halved {Blocks - 1} times: take fewer blocks.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("NoisyClassifier: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(NoisyClassifierConfig))]
internal sealed partial class NoisyClassifierJson : JsonSerializerContext;
