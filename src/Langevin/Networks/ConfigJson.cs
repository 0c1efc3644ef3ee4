using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Langevin.Networks;

/// <summary>Reads and writes the <c>config.json</c> beside a network's weights: snake_case keys, absent ones at their default, unknown ones refused.</summary>
internal static class ConfigJson
{
    /// <summary>What the transformers library writes besides a network's shape.</summary>
    public static IReadOnlySet<string> OfTransformers { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "attention_dropout", "bos_token_id", "dropout", "dtype", "initializer_factor", "initializer_range", "model_type", "pad_token_id", "torch_dtype", "transformers_version",
    };

    public static ConfigTypes Types => ConfigTypes.Default;

    /// <summary>The configuration that a text gives.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key.</exception>
    /// <param name="json">The text.</param>
    /// <param name="defaults">What absent keys are.</param>
    /// <param name="type">Its serialiser.</param>
    /// <param name="network">What errors name.</param>
    /// <param name="passedOver">Keys of other programs that say nothing of the network's shape.</param>
    public static T Parse<T>(string json, T defaults, JsonTypeInfo<T> type, string network, IReadOnlySet<string>? passedOver = null)
    {
        JsonNode? given;
        try { given = JsonNode.Parse(json); }
        catch (JsonException e) { throw new InvalidDataException($"{network} configuration is not JSON: {e.Message}", e); }
        if (given is not JsonObject entries) throw new InvalidDataException($"{network} configuration must be a JSON object, not {given?.GetValueKind().ToString() ?? "null"}.");
        var merged = JsonSerializer.SerializeToNode(defaults, type)!.AsObject();
        foreach (var (key, value) in entries)
        {
            if (key.StartsWith('_') || passedOver?.Contains(key) == true) continue;
            if (!merged.ContainsKey(key))
                throw new InvalidDataException($"{network} configuration: unknown key '{key}'; the nearest known key is '{Spelling.Nearest(key, merged.Select(m => m.Key))}'.");
            merged[key] = value?.DeepClone();
        }
        try { return merged.Deserialize(type) ?? throw new InvalidDataException($"{network} configuration is empty."); }
        catch (JsonException e) { throw new InvalidDataException($"{network} configuration: the value of '{e.Path?.TrimStart('$', '.')}' has the wrong type: {e.Message}", e); }
    }

    /// <summary>The text of a configuration, with the class name that diffusers looks for.</summary>
    public static string Write<T>(T config, JsonTypeInfo<T> type, string network, params (string Key, string Value)[] more)
    {
        var entries = new JsonObject { ["_class_name"] = network };
        foreach (var (key, value) in JsonSerializer.SerializeToNode(config, type)!.AsObject()) entries[key] = value?.DeepClone();
        foreach (var (key, value) in more) entries[key] = value;
        return entries.ToJsonString(Indented);
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}

/// <summary>Generated (de)serialisers of the networks' configurations.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(UNet2DConfig))]
[JsonSerializable(typeof(SongUNetConfig))]
[JsonSerializable(typeof(DhariwalUNetConfig))]
[JsonSerializable(typeof(Edm2UNetConfig))]
[JsonSerializable(typeof(UNet1DModelConfig))]
[JsonSerializable(typeof(AutoencoderKLConfig))]
[JsonSerializable(typeof(VQModelConfig))]
[JsonSerializable(typeof(AutoencoderTinyConfig))]
[JsonSerializable(typeof(UNet2DConditionConfig))]
[JsonSerializable(typeof(GuidedUNetConfig))]
[JsonSerializable(typeof(Ncsnv2Config))]
[JsonSerializable(typeof(DiffusionTransformerConfig))]
[JsonSerializable(typeof(DiffWaveConfig))]
[JsonSerializable(typeof(ClipTextConfig))]
[JsonSerializable(typeof(ClipVisionConfig))]
internal sealed partial class ConfigTypes : JsonSerializerContext;
