namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="ClipText"/>; the keys of its JSON are those of the published models.</summary>
public sealed record ClipTextConfig
{
    /// <summary>Number of tokens.</summary>
    public int VocabSize { get; init; } = 49408;

    /// <summary>Width of a token's vector, a multiple of the heads.</summary>
    public int HiddenSize { get; init; } = 512;

    /// <summary>Width inside a layer's perceptron.</summary>
    public int IntermediateSize { get; init; } = 2048;

    /// <summary>Width of the space shared with pictures.</summary>
    public int ProjectionDim { get; init; } = 512;

    /// <summary>Layers, at least 1.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Heads of the attention.</summary>
    public int NumAttentionHeads { get; init; } = 8;

    /// <summary>Longest sequence.</summary>
    public int MaxPositionEmbeddings { get; init; } = 77;

    /// <summary>"quick_gelu" or "gelu".</summary>
    public string HiddenAct { get; init; } = "quick_gelu";

    /// <summary>ε of the norms.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Token that ends a text, where the pooled vector is read. 2 stands, as in the first published models, for the token of the highest number.</summary>
    public int EosTokenId { get; init; } = 49407;

    /// <summary>Classes of the published model, of which one with "WithProjection" in its name has a projection into the shared space.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = ["CLIPTextModel"];

    /// <summary>Reads the text of a <c>config.json</c>. Keys that only training or other programs read are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static ClipTextConfig Parse(string json) => ConfigJson.Parse(json, new ClipTextConfig(), ConfigJson.Types.ClipTextConfig, nameof(ClipText), ConfigJson.OfTransformers);

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.ClipTextConfig, Architectures[0], ("model_type", "clip_text_model"));

    /// <summary>Whether the network ends in a projection into the space that texts and pictures share.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool Projects => Architectures.Any(a => a.EndsWith("WithProjection", StringComparison.Ordinal));

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("ClipText: " + message);
        }
        Require(VocabSize > 0 && MaxPositionEmbeddings > 0 && NumHiddenLayers > 0 && IntermediateSize > 0 && ProjectionDim > 0, "vocab_size, max_position_embeddings, num_hidden_layers, intermediate_size and projection_dim must be at least 1.");
        Require(NumAttentionHeads > 0 && HiddenSize > 0 && HiddenSize % NumAttentionHeads == 0, $"hidden_size ({HiddenSize}) must be a multiple of num_attention_heads ({NumAttentionHeads}).");
    }
}
