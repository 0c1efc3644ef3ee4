using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>
/// Everything that determines the shape of a <see cref="VQModel"/>: the record mirrors the <c>config.json</c> of diffusers' class of that
/// name, key for key and with its defaults.
/// </summary>
public sealed record VQModelConfig
{
    /// <summary>Channels of an image.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the answer.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>One a level: DownEncoderBlock2D.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownEncoderBlock2D"];

    /// <summary>One a level: UpDecoderBlock2D.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["UpDecoderBlock2D"];

    /// <summary>Channels of each level, from the finest; the latent is 2^(levels − 1) times smaller than the image.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [64];

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>Non-linearity: silu (swish), mish, gelu or relu.</summary>
    public string ActFn { get; init; } = "silu";

    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 3;

    /// <summary>Height and width the model was made for; the network takes any size that its levels divide.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? SampleSize { get; init; } = [32];

    /// <summary>Vectors in the codebook.</summary>
    public int NumVqEmbeddings { get; init; } = 256;

    /// <summary>Groups of the norms.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Length of a vector of the codebook; null for the channels of the latent.</summary>
    public int? VqEmbedDim { get; init; }

    /// <summary>1/std of the latents.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Kind of the decoder's norms: group.</summary>
    public string NormType { get; init; } = "group";

    /// <summary>Whether the bottoms attend.</summary>
    public bool MidBlockAddAttention { get; init; } = true;

    /// <summary>Whether diffusers looks codes up by number; kept, not used.</summary>
    public bool LookupFromCodebook { get; init; }

    /// <summary>Whether diffusers computes it in float32 whatever the pipeline's type; kept, not used.</summary>
    public bool ForceUpcast { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static VQModelConfig Parse(string json) => ConfigJson.Parse(json, new VQModelConfig(), ConfigJson.Types.VQModelConfig, nameof(VQModel));

    /// <summary>The text of a <c>config.json</c> that diffusers reads.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.VQModelConfig, nameof(VQModel));

    internal Diffusers.AutoencoderShape Shape()
    {
        Diffusers.AutoencoderLevels.Validate(nameof(VQModel), DownBlockTypes, UpBlockTypes, BlockOutChannels, LayersPerBlock, InChannels, OutChannels, LatentChannels, NumVqEmbeddings, VqEmbedDim ?? 1);
        if (NormType != "group") throw new ArgumentException($"VQModel: norm_type '{NormType}' is unknown: use group.");
        return new(BlockOutChannels, LayersPerBlock, NormNumGroups, Layers.Activation.Of(ActFn), MidBlockAddAttention);
    }
}
