using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of <see cref="BridgedStreams"/>; the keys of its JSON are the properties' names in snake_case.</summary>
public sealed record BridgedStreamsConfig
{
    /// <summary>Channels of x and of the result, at least 1.</summary>
    public int InChannels { get; init; } = 1;

    /// <summary>Channels of the signal that is the condition, at least 1.</summary>
    public int ConditionChannels { get; init; } = 1;

    /// <summary>Channels inside, a multiple of 4 (the paper has 64, its code 80).</summary>
    public int Channels { get; init; } = 64;

    /// <summary>Dilation of the filters, block by block.</summary>
    public IReadOnlyList<int> Dilations { get; init; } = [1, 2, 4, 2, 1];

    /// <summary>Whether there is one stream only, which reads x and condition side by side: the plain way, to compare with.</summary>
    public bool OneStream { get; init; }

    /// <summary>The configuration of a <c>config.json</c>; absent keys keep their defaults.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key.</exception>
    public static BridgedStreamsConfig Parse(string json) => ConfigJson.Parse(json, new(), BridgedStreamsJson.Default.BridgedStreamsConfig, nameof(BridgedStreams));

    /// <summary>The configuration as a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, BridgedStreamsJson.Default.BridgedStreamsConfig, nameof(BridgedStreams));

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(BridgedStreamsConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(InChannels > 0 && ConditionChannels > 0, $"in_channels ({InChannels}) and condition_channels ({ConditionChannels}) must be at least 1.");
        Require(Channels > 0 && Channels % 4 == 0, $"channels is {Channels}: it must be a multiple of 4.");
        Require(Dilations is { Count: > 0 } && Dilations.All(d => d > 0), "dilations must give one number of at least 1 for each block.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("BridgedStreams: " + message);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(BridgedStreamsConfig))]
internal sealed partial class BridgedStreamsJson : JsonSerializerContext;
