using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>
/// Everything that determines the shape of an <see cref="AutoencoderKL"/>: the record mirrors the <c>config.json</c> of diffusers' class
/// of that name, key for key and with its defaults.
/// </summary>
public sealed record AutoencoderKLConfig
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
    public int LatentChannels { get; init; } = 4;

    /// <summary>Groups of the norms.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Height and width the model was made for; the network takes any size that its levels divide.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? SampleSize { get; init; } = [32];

    /// <summary>1/std of the latents: diffusion works on scaling_factor · z (Rombach et al. 2022, appendix G).</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Subtracted from z before it is scaled; null for 0.</summary>
    public double? ShiftFactor { get; init; }

    /// <summary>Means of the latent channels, where a model states them; kept, not used.</summary>
    public IReadOnlyList<double>? LatentsMean { get; init; }

    /// <summary>Deviations of the latent channels, where a model states them; kept, not used.</summary>
    public IReadOnlyList<double>? LatentsStd { get; init; }

    /// <summary>Whether diffusers computes it in float32 whatever the pipeline's type; kept, not used.</summary>
    public bool ForceUpcast { get; init; } = true;

    /// <summary>Whether a 1×1 convolution follows the encoder.</summary>
    public bool UseQuantConv { get; init; } = true;

    /// <summary>Whether a 1×1 convolution precedes the decoder.</summary>
    public bool UsePostQuantConv { get; init; } = true;

    /// <summary>Whether the bottoms attend.</summary>
    public bool MidBlockAddAttention { get; init; } = true;

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static AutoencoderKLConfig Parse(string json) => ConfigJson.Parse(json, new AutoencoderKLConfig(), ConfigJson.Types.AutoencoderKLConfig, nameof(AutoencoderKL));

    /// <summary>The text of a <c>config.json</c> that diffusers reads.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.AutoencoderKLConfig, nameof(AutoencoderKL));

    internal Diffusers.AutoencoderShape Shape()
    {
        Diffusers.AutoencoderLevels.Validate(nameof(AutoencoderKL), DownBlockTypes, UpBlockTypes, BlockOutChannels, LayersPerBlock, InChannels, OutChannels, LatentChannels);
        return new(BlockOutChannels, LayersPerBlock, NormNumGroups, Layers.Activation.Of(ActFn), MidBlockAddAttention);
    }
}
