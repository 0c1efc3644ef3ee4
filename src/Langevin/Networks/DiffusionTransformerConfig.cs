using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="DiffusionTransformer"/>; the keys of its JSON are diffusers'.</summary>
public sealed record DiffusionTransformerConfig
{
    /// <summary>Heads of the attention.</summary>
    public int NumAttentionHeads { get; init; } = 16;

    /// <summary>Width of a head.</summary>
    public int AttentionHeadDim { get; init; } = 72;

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 4;

    /// <summary>Channels of the output: twice those of the input where a variance is learned. Null for those of the input.</summary>
    public int? OutChannels { get; init; }

    /// <summary>Blocks.</summary>
    public int NumLayers { get; init; } = 28;

    /// <summary>Whether queries, keys and values have biases.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Height and width that positions are counted for; others are taken on the same scale.</summary>
    public int SampleSize { get; init; } = 32;

    /// <summary>Height and width of a patch.</summary>
    public int PatchSize { get; init; } = 2;

    /// <summary>"gelu-approximate", gelu by its tanh formula, or "gelu".</summary>
    public string ActivationFn { get; init; } = "gelu-approximate";

    /// <summary>Classes, for "ada_norm_zero"; label −1, and this number itself, are "no class".</summary>
    public int? NumEmbedsAdaNorm { get; init; } = 1000;

    /// <summary>"ada_norm_zero": blocks modulated by class and step (DiT); "ada_norm_single": by the step alone through one layer, and attention to a caption's tokens (PixArt-α).</summary>
    public string NormType { get; init; } = "ada_norm_zero";

    /// <summary>Whether norms have weights of their own; false is known.</summary>
    public bool NormElementwiseAffine { get; init; }

    /// <summary>ε of a block's norms.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Width of a caption's tokens, for "ada_norm_single".</summary>
    public int? CaptionChannels { get; init; }

    /// <summary>Width of the projected tokens, for "ada_norm_single".</summary>
    public int? CrossAttentionDim { get; init; }

    /// <summary>What positions are divided by; null for sample_size / 64, at least 1.</summary>
    public int? InterpolationScale { get; init; }

    /// <summary>Whether size and aspect ratio are conditions too; false is known.</summary>
    public bool? UseAdditionalConditions { get; init; }

    /// <summary>Subtracted from half the number of the step's features where their frequencies are spaced: 1 as in diffusers' DiT, 0 as in the original and in PixArt. Null for that of the norm type.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? FreqShift { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static DiffusionTransformerConfig Parse(string json) => ConfigJson.Parse(json, new DiffusionTransformerConfig(), ConfigJson.Types.DiffusionTransformerConfig, nameof(DiffusionTransformer), Unread);

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.DiffusionTransformerConfig, "Transformer2DModel");

    internal int Width => NumAttentionHeads * AttentionHeadDim;

    internal bool Captioned => NormType == "ada_norm_single";

    // Of diffusers' other transformers of the same class, or of training.
    private static readonly HashSet<string> Unread = new(StringComparer.Ordinal)
    {
        "attention_type", "double_self_attention", "dropout", "norm_num_groups", "num_vector_embeds", "only_cross_attention", "upcast_attention", "use_linear_projection",
    };

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("DiffusionTransformer: " + message);
        }
        Require(NumAttentionHeads > 0 && AttentionHeadDim > 0 && Width % 4 == 0, $"num_attention_heads × attention_head_dim is {Width}: it must be a multiple of 4, for positions in two directions.");
        Require(InChannels > 0 && OutChannels is null or > 0 && NumLayers > 0, "in_channels, out_channels and num_layers must be at least 1.");
        Require(PatchSize > 0 && SampleSize > 0 && SampleSize % PatchSize == 0, $"sample_size ({SampleSize}) must be a multiple of patch_size ({PatchSize}).");
        Require(ActivationFn is "gelu-approximate" or "gelu", $"activation_fn is '{ActivationFn}': gelu-approximate and gelu are known.");
        Require(!NormElementwiseAffine && UseAdditionalConditions != true, "norm_elementwise_affine and use_additional_conditions are known as false only.");
        Require(NormType is "ada_norm_zero" or "ada_norm_single", $"norm_type is '{NormType}': ada_norm_zero and ada_norm_single are known.");
        if (Captioned) Require(CaptionChannels > 0 && (CrossAttentionDim ?? Width) == Width, $"ada_norm_single needs caption_channels, and cross_attention_dim ({CrossAttentionDim}) must be the width ({Width}).");
        else Require(NumEmbedsAdaNorm > 0, "ada_norm_zero needs num_embeds_ada_norm, the number of classes.");
    }
}
