using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of an <see cref="AutoencoderTiny"/>; the keys of its JSON are diffusers'.</summary>
public sealed record AutoencoderTinyConfig
{
    /// <summary>Channels of a picture.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the picture that is given back.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Channels of the encoder's levels, from the finest; all the same.</summary>
    public IReadOnlyList<int> EncoderBlockOutChannels { get; init; } = [64, 64, 64, 64];

    /// <summary>Channels of the decoder's levels, from the coarsest; all the same.</summary>
    public IReadOnlyList<int> DecoderBlockOutChannels { get; init; } = [64, 64, 64, 64];

    /// <summary>"relu" is known.</summary>
    public string ActFn { get; init; } = "relu";

    /// <summary>Channels of the code.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Blocks of each level of the encoder; every level but the first halves.</summary>
    public IReadOnlyList<int> NumEncoderBlocks { get; init; } = [1, 3, 3, 3];

    /// <summary>Blocks of each level of the decoder; every level but the last doubles.</summary>
    public IReadOnlyList<int> NumDecoderBlocks { get; init; } = [3, 3, 3, 1];

    /// <summary>What codes are multiplied by for a diffusion model.</summary>
    public double ScalingFactor { get; init; } = 1;

    /// <summary>What is taken from codes before that.</summary>
    public double ShiftFactor { get; init; }

    /// <summary>Whether the blocks at the coarsest level see a norm over the whole picture first, as the ones for Flux 2 do. Not a key of diffusers'.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool MidblockGroupNorm { get; init; }

    /// <summary>Channels of strided convolutions before the encoder's first level, which is then strided too, as in the one for Sana. Not a key of diffusers'.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? EncoderStemChannels { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static AutoencoderTinyConfig Parse(string json) => ConfigJson.Parse(json, new AutoencoderTinyConfig(), ConfigJson.Types.AutoencoderTinyConfig, nameof(AutoencoderTiny), Unread);

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.AutoencoderTinyConfig, nameof(AutoencoderTiny));

    // How codes are stored as bytes, and values that every published model has.
    private static readonly HashSet<string> Unread = new(StringComparer.Ordinal) { "block_out_channels", "force_upcast", "latent_magnitude", "latent_shift", "upsample_fn", "upsampling_scaling_factor" };

    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("AutoencoderTiny: " + message);
        }
        Require(InChannels > 0 && OutChannels > 0 && LatentChannels > 0, "in_channels, out_channels and latent_channels must be at least 1.");
        Require(ActFn == "relu", $"act_fn is '{ActFn}': relu is known.");
        Require(EncoderBlockOutChannels.Count > 0 && EncoderBlockOutChannels.Count == NumEncoderBlocks.Count && EncoderBlockOutChannels.Distinct().Count() == 1, "encoder_block_out_channels must have one number, the same, for each of num_encoder_blocks.");
        Require(DecoderBlockOutChannels.Count > 0 && DecoderBlockOutChannels.Count == NumDecoderBlocks.Count && DecoderBlockOutChannels.Distinct().Count() == 1, "decoder_block_out_channels must have one number, the same, for each of num_decoder_blocks.");
    }
}
