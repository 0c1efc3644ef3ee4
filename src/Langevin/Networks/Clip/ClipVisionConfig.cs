namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="ClipVision"/>; the keys of its JSON are those of the published models.</summary>
public sealed record ClipVisionConfig
{
    /// <summary>Channels of a picture.</summary>
    public int NumChannels { get; init; } = 3;

    /// <summary>Height and width of a picture, a multiple of the patches'.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Height and width of a patch.</summary>
    public int PatchSize { get; init; } = 32;

    /// <summary>Width of a patch's vector, a multiple of the heads.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width inside a layer's perceptron.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Width of the space shared with texts.</summary>
    public int ProjectionDim { get; init; } = 512;

    /// <summary>Layers, at least 1.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Heads of the attention.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>"quick_gelu" or "gelu".</summary>
    public string HiddenAct { get; init; } = "quick_gelu";

    /// <summary>ε of the norms.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Classes of the published model, of which one with "WithProjection" in its name has a projection into the shared space.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = ["CLIPVisionModelWithProjection"];

    /// <summary>Reads the text of a <c>config.json</c>. Keys that only training or other programs read are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static ClipVisionConfig Parse(string json) => ConfigJson.Parse(json, new ClipVisionConfig(), ConfigJson.Types.ClipVisionConfig, nameof(ClipVision), ConfigJson.OfTransformers);

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.ClipVisionConfig, Architectures[0], ("model_type", "clip_vision_model"));

    /// <summary>Whether the network ends in a projection into the space that texts and pictures share.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Projects => Architectures.Any(a => a.EndsWith("WithProjection", StringComparison.Ordinal));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("ClipVision: " + message);
        }
        Require(NumChannels > 0 && NumHiddenLayers > 0 && IntermediateSize > 0 && ProjectionDim > 0, "num_channels, num_hidden_layers, intermediate_size and projection_dim must be at least 1.");
        Require(PatchSize > 0 && ImageSize > 0 && ImageSize % PatchSize == 0, $"image_size ({ImageSize}) must be a multiple of patch_size ({PatchSize}).");
        Require(NumAttentionHeads > 0 && HiddenSize > 0 && HiddenSize % NumAttentionHeads == 0, $"hidden_size ({HiddenSize}) must be a multiple of num_attention_heads ({NumAttentionHeads}).");
    }
}
