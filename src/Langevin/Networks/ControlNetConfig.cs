using System.Text.Json;
using System.Text.Json.Nodes;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="ControlNet"/>: that of the U-Net which it steers, and how it reads its picture.</summary>
/// <param name="Encoder">The way down and the middle of the U-Net.</param>
public sealed record ControlNetConfig(UNet2DConditionConfig Encoder)
{
    private const string Class = "ControlNetModel", Channels = "conditioning_channels", Widths = "conditioning_embedding_out_channels";

    /// <summary>Channels of the picture that steers.</summary>
    public int ConditioningChannels { get; init; } = 3;

    /// <summary>Channels of its embedding, from the finest level; every next halves, so that four levels reduce eightfold.</summary>
    public IReadOnlyList<int> ConditioningEmbeddingOutChannels { get; init; } = [16, 32, 96, 256];

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type or asks for another architecture, or a key is unknown.</exception>
    public static ControlNetConfig Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonNode? given = null;
        try { given = JsonNode.Parse(json); }
        catch (JsonException) { }
        var entries = given as JsonObject ?? throw new InvalidDataException($"{Class} configuration must be a JSON object.");
        try
        {
            Fixed(entries, "controlnet_conditioning_channel_order", "\"rgb\"");
            Fixed(entries, "global_pool_conditions", "false");
            int? channels = Taken(entries, Channels)?.GetValue<int>();
            int[]? widths = Taken(entries, Widths)?.AsArray().Select(w => w!.GetValue<int>()).ToArray();
            var encoder = UNet2DConditionConfig.Parse(entries.ToJsonString());
            var config = new ControlNetConfig(encoder with { UpBlockTypes = [.. encoder.DownBlockTypes.Reverse().Select(t => t.Replace("Down", "Up", StringComparison.Ordinal))] });
            if (channels is { } c) config = config with { ConditioningChannels = c };
            return widths is null ? config : config with { ConditioningEmbeddingOutChannels = widths };
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new InvalidDataException($"{Class} configuration: {Channels} must be a whole number and {Widths} a list of them.", e);
        }
    }

    /// <summary>The text of a <c>config.json</c> that diffusers reads.</summary>
    public string ToJson()
    {
        var entries = JsonNode.Parse(Encoder.ToJson())!.AsObject();
        foreach (string key in (string[])["out_channels", "up_block_types", "center_input_sample", "sample_size"]) entries.Remove(key);
        entries["_class_name"] = Class;
        entries[Channels] = ConditioningChannels;
        entries[Widths] = new JsonArray([.. ConditioningEmbeddingOutChannels.Select(w => (JsonNode)w)]);
        return entries.ToJsonString(new() { WriteIndented = true });
    }

    internal void Validate()
    {
        Encoder.Validate();
        if (ConditioningChannels < 1 || ConditioningEmbeddingOutChannels.Count == 0 || ConditioningEmbeddingOutChannels.Any(w => w < 1))
            throw new ArgumentException($"ControlNet: {Channels} ({ConditioningChannels}) and all of {Widths} must be at least 1.");
    }

    private static JsonNode? Taken(JsonObject entries, string key)
    {
        if (!entries.TryGetPropertyValue(key, out var value)) return null;
        entries.Remove(key);
        return value;
    }

    private static void Fixed(JsonObject entries, string key, string known)
    {
        if (Taken(entries, key) is { } value && value.ToJsonString() != known) throw new InvalidDataException($"{Class} configuration: {key} is {value.ToJsonString()}: only {known} is known here.");
    }
}
