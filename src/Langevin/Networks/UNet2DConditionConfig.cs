using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>
/// Everything that determines the shape of a <see cref="UNet2DCondition"/>: the record mirrors the <c>config.json</c> of diffusers'
/// <c>UNet2DConditionModel</c>, key for key and with its defaults, as far as Stable Diffusion 1, 2 and XL and their likes use it. Its other
/// keys are read where they stand at what those models have.
/// </summary>
public sealed record UNet2DConditionConfig
{
    // Keys for other architectures, with the values that change nothing.
    private static readonly Dictionary<string, string[]> Inert = new()
    {
        ["dual_cross_attention"] = ["false"], ["encoder_hid_dim"] = ["null"], ["encoder_hid_dim_type"] = ["null"], ["num_attention_heads"] = ["null"],
        ["upcast_attention"] = ["false", "true"], ["resnet_time_scale_shift"] = ["\"default\""],
        ["resnet_skip_time_act"] = ["false"], ["resnet_out_scale_factor"] = ["1", "1.0"], ["time_embedding_type"] = ["\"positional\""], ["time_embedding_dim"] = ["null"],
        ["time_embedding_act_fn"] = ["null"], ["timestep_post_act"] = ["null"], ["time_cond_proj_dim"] = ["null"], ["conv_in_kernel"] = ["3"], ["conv_out_kernel"] = ["3"],
        ["attention_type"] = ["\"default\""], ["class_embeddings_concat"] = ["false"], ["mid_block_only_cross_attention"] = ["null"],
        ["cross_attention_norm"] = ["null"], ["addition_embed_type_num_heads"] = ["64"], ["reverse_transformer_layers_per_block"] = ["null"], ["class_embed_type"] = ["null"],
        ["only_cross_attention"] = ["false"], ["dropout"] = ["0", "0.0"], ["mid_block_scale_factor"] = ["1", "1.0"],
    };

    /// <summary>Height and width the model was made for; the network takes any size that its levels divide.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? SampleSize { get; init; }

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 4;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 4;

    /// <summary>Whether the input is mapped from [0, 1] to [−1, 1] first.</summary>
    public bool CenterInputSample { get; init; }

    /// <summary>Whether cosines come before sines in the features of the noise level.</summary>
    public bool FlipSinToCos { get; init; } = true;

    /// <summary>Subtracted from the number of frequencies in the exponent of those features.</summary>
    public int FreqShift { get; init; }

    /// <summary>One a level, from the finest: DownBlock2D or CrossAttnDownBlock2D.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"];

    /// <summary><c>UNetMidBlock2DCrossAttn</c>, or null for no block at the bottom.</summary>
    public string? MidBlockType { get; init; } = "UNetMidBlock2DCrossAttn";

    /// <summary>One a level, from the coarsest: UpBlock2D or CrossAttnUpBlock2D.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"];

    /// <summary>Channels of each level, from the finest.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [320, 640, 1280, 1280];

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Padding of strided convolutions; 0 pads right and bottom only.</summary>
    public int DownsamplePadding { get; init; } = 1;

    /// <summary>Non-linearity: silu (swish), mish, gelu or relu.</summary>
    public string ActFn { get; init; } = "silu";

    /// <summary>Groups of the norms.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Added to the variance in norms.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Width of the context's tokens.</summary>
    public int CrossAttentionDim { get; init; } = 1280;

    /// <summary>Transformer blocks an attention layer, one number or one a level.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? TransformerLayersPerBlock { get; init; } = [1];

    /// <summary>Number of attention heads (diffusers' name for it is a mistake that it keeps), one number or one a level.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? AttentionHeadDim { get; init; } = [8];

    /// <summary>Whether attention's projections are linear layers rather than 1×1 convolutions.</summary>
    public bool UseLinearProjection { get; init; }

    /// <summary>Rows of the class table, null for none. Label −1 ("no class") reads the last row.</summary>
    public int? NumClassEmbeds { get; init; }

    /// <summary>"text_time" where a vector of the text and numbers such as sizes are conditions too, as in Stable Diffusion XL; null for none.</summary>
    public string? AdditionEmbedType { get; init; }

    /// <summary>Features of each of those numbers, for "text_time".</summary>
    public int? AdditionTimeEmbedDim { get; init; }

    /// <summary>Width of the vector and of all those features together, for "text_time".</summary>
    public int? ProjectionClassEmbeddingsInputDim { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are diffusers' own notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type or asks for another architecture, or a key is unknown.</exception>
    public static UNet2DConditionConfig Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonNode? given = null;
        try { given = JsonNode.Parse(json); }
        catch (JsonException) { }
        if (given is JsonObject entries)
        {
            foreach (var (key, values) in Inert)
            {
                if (!entries.TryGetPropertyValue(key, out var value)) continue;
                string text = value?.ToJsonString() ?? "null";
                if (!values.Contains(text)) throw new InvalidDataException($"UNet2DConditionModel configuration: {key} is {text}: only {values[0]} is known here.");
                entries.Remove(key);
            }
            json = entries.ToJsonString();
        }
        return ConfigJson.Parse(json, new UNet2DConditionConfig(), ConfigJson.Types.UNet2DConditionConfig, "UNet2DConditionModel");
    }

    /// <summary>The text of a <c>config.json</c> that diffusers reads.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.UNet2DConditionConfig, "UNet2DConditionModel");

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(UNet2DConditionConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    internal int HeadsAt(int level) => AtLevel(AttentionHeadDim, level, 8);

    internal int BlocksAt(int level) => AtLevel(TransformerLayersPerBlock, level, 1);

    private static int AtLevel(IReadOnlyList<int>? values, int level, int fallback) => values is null ? fallback : values.Count == 1 ? values[0] : values[level];

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        int levels = BlockOutChannels.Count;
        Require(levels > 0, "block_out_channels is empty: give the channels of at least one level.");
        Require(DownBlockTypes.Count == levels && UpBlockTypes.Count == levels,
            $"down_block_types ({DownBlockTypes.Count}), up_block_types ({UpBlockTypes.Count}) and block_out_channels ({levels}) must have the same length.");
        foreach (string type in DownBlockTypes) Require(type is "DownBlock2D" or "CrossAttnDownBlock2D", $"down_block_types: '{type}' is unknown: use DownBlock2D or CrossAttnDownBlock2D.");
        foreach (string type in UpBlockTypes) Require(type is "UpBlock2D" or "CrossAttnUpBlock2D", $"up_block_types: '{type}' is unknown: use UpBlock2D or CrossAttnUpBlock2D.");
        Require(MidBlockType is null or "UNetMidBlock2DCrossAttn", $"mid_block_type '{MidBlockType}' is unknown: use UNetMidBlock2DCrossAttn or null.");
        Require(InChannels > 0 && OutChannels > 0 && CrossAttentionDim > 0 && LayersPerBlock > 0, "channels, cross_attention_dim and layers_per_block must be at least 1.");
        Require(AttentionHeadDim is null || AttentionHeadDim.Count == 1 || AttentionHeadDim.Count == levels, "attention_head_dim: give one number or one a level.");
        Require(TransformerLayersPerBlock is null || TransformerLayersPerBlock.Count == 1 || TransformerLayersPerBlock.Count == levels, "transformer_layers_per_block: give one number or one a level.");
        Require(AdditionEmbedType is null or "text_time", $"addition_embed_type '{AdditionEmbedType}' is unknown: use text_time or null.");
        Require(AdditionEmbedType is null || AdditionTimeEmbedDim > 0 && ProjectionClassEmbeddingsInputDim > 0, "text_time needs addition_time_embed_dim and projection_class_embeddings_input_dim.");
        Require(NumClassEmbeds is null or > 0, $"num_class_embeds is {NumClassEmbeds}: it must be at least 1, or null.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("UNet2DCondition: " + message);
    }
}
