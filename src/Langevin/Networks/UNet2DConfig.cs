using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Langevin.Networks;

/// <summary>
/// Everything that determines the shape of a <see cref="UNet2D"/>: the record mirrors the <c>config.json</c> of diffusers'
/// <c>UNet2DModel</c>, key for key and with its defaults.
/// </summary>
public sealed record UNet2DConfig
{
    /// <summary>Height and width the model was made for, one number or two; null when open. The network itself takes any size that its levels divide.</summary>
    [JsonConverter(typeof(SampleSizeConverter))]
    public IReadOnlyList<int>? SampleSize { get; init; }

    /// <summary>Channels of the input, at least 1.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output, at least 1: twice the image's where a variance is learned.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Whether the input is mapped from [0, 1] to [−1, 1] first.</summary>
    public bool CenterInputSample { get; init; }

    /// <summary>Features of the noise level: <c>positional</c> (sines and cosines of an integer step), <c>fourier</c> (of ln σ; the output is divided by σ) or <c>learned</c> (a table).</summary>
    public string TimeEmbeddingType { get; init; } = "positional";

    /// <summary>Width of the embedding; null for four times the first level's channels.</summary>
    public int? TimeEmbeddingDim { get; init; }

    /// <summary>Subtracted from the number of frequencies in the exponent of positional features (DDPM has 1).</summary>
    public int FreqShift { get; init; }

    /// <summary>Whether cosines come before sines in positional features.</summary>
    public bool FlipSinToCos { get; init; } = true;

    /// <summary>One type a level, from the finest: DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D, SkipDownBlock2D or AttnSkipDownBlock2D.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];

    /// <summary><c>UNetMidBlock2D</c>, or null for no block at the bottom.</summary>
    public string? MidBlockType { get; init; } = "UNetMidBlock2D";

    /// <summary>One type a level, from the coarsest: UpBlock2D, AttnUpBlock2D, ResnetUpsampleBlock2D, SkipUpBlock2D or AttnSkipUpBlock2D.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"];

    /// <summary>Channels of each level, from the finest.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [224, 448, 672, 896];

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Divides the residual sums at the bottom (√2 in NCSN++).</summary>
    public double MidBlockScaleFactor { get; init; } = 1;

    /// <summary>Padding of strided convolutions; 0 pads right and bottom only.</summary>
    public int DownsamplePadding { get; init; } = 1;

    /// <summary>How AttnDownBlock2D halves the resolution: <c>conv</c> or <c>resnet</c>.</summary>
    public string DownsampleType { get; init; } = "conv";

    /// <summary>How AttnUpBlock2D doubles the resolution: <c>conv</c> or <c>resnet</c>.</summary>
    public string UpsampleType { get; init; } = "conv";

    /// <summary>Probability of dropping an activation in residual blocks while training, 0 to 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Non-linearity: silu (swish), mish, gelu or relu.</summary>
    public string ActFn { get; init; } = "silu";

    /// <summary>Channels of an attention head; null for a single head.</summary>
    public int? AttentionHeadDim { get; init; } = 8;

    /// <summary>Groups of the norms; null for a quarter of the channels, at most 32.</summary>
    public int? NormNumGroups { get; init; } = 32;

    /// <summary>Groups of the norm before the attention at the bottom; null for the blocks' own with <c>default</c> conditioning and for no norm with <c>scale_shift</c>.</summary>
    public int? AttnNormNumGroups { get; init; }

    /// <summary>Added to the variance in norms.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary><c>default</c>: the embedding is added before the second norm; <c>scale_shift</c>: it scales and shifts after it.</summary>
    public string ResnetTimeScaleShift { get; init; } = "default";

    /// <summary>Whether the bottom attends.</summary>
    public bool AddAttention { get; init; } = true;

    /// <summary>null: a table of <see cref="NumClassEmbeds"/> rows; <c>timestep</c>: the label is embedded as a noise level is; <c>identity</c>: the condition's slot <c>vector</c> [N, width] is added as it is.</summary>
    public string? ClassEmbedType { get; init; }

    /// <summary>Rows of the class table, null for none. Label −1 ("no class") reads the last row, so train for classifier-free guidance with one row more than there are classes.</summary>
    public int? NumClassEmbeds { get; init; }

    /// <summary>Steps of a <c>learned</c> time embedding.</summary>
    public int? NumTrainTimesteps { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>. Keys that begin with an underscore are diffusers' own notes and are passed over.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static UNet2DConfig Parse(string json) => ConfigJson.Parse(json, new UNet2DConfig(), ConfigJson.Types.UNet2DConfig, "UNet2DModel");

    /// <summary>The text of a <c>config.json</c> that diffusers reads.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.UNet2DConfig, "UNet2DModel");

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(UNet2DConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    internal int EmbeddingWidth => TimeEmbeddingDim ?? 4 * BlockOutChannels[0];

    internal bool ReadsLabels => ClassEmbedType == "timestep" || (ClassEmbedType is null && NumClassEmbeds is not null);

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        Require(BlockOutChannels.Count > 0, $"block_out_channels is empty: give the channels of at least one level.");
        Require(DownBlockTypes.Count == BlockOutChannels.Count && UpBlockTypes.Count == BlockOutChannels.Count,
            $"down_block_types ({DownBlockTypes.Count}), up_block_types ({UpBlockTypes.Count}) and block_out_channels ({BlockOutChannels.Count}) must have the same length.");
        Require(InChannels > 0 && OutChannels > 0, $"in_channels ({InChannels}) and out_channels ({OutChannels}) must be at least 1.");
        Require(LayersPerBlock > 0, $"layers_per_block is {LayersPerBlock}: it must be at least 1.");
        Require(Dropout is >= 0 and < 1, $"dropout is {Dropout}: it must lie in [0, 1).");
        Require(MidBlockType is null or "UNetMidBlock2D", $"mid_block_type '{MidBlockType}' is unknown: use UNetMidBlock2D or null.");
        Require(TimeEmbeddingType is "positional" or "fourier" or "learned", $"time_embedding_type '{TimeEmbeddingType}' is unknown: use positional, fourier or learned.");
        Require(TimeEmbeddingType != "learned" || NumTrainTimesteps > 0, "time_embedding_type learned needs num_train_timesteps.");
        Require(ResnetTimeScaleShift is "default" or "scale_shift", $"resnet_time_scale_shift '{ResnetTimeScaleShift}' is unknown: use default or scale_shift.");
        Require(ClassEmbedType is null or "timestep" or "identity", $"class_embed_type '{ClassEmbedType}' is unknown: use null, timestep or identity.");
        Require(NumClassEmbeds is null or > 0, $"num_class_embeds is {NumClassEmbeds}: it must be at least 1, or null.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("UNet2D: " + message);
    }
}

/// <summary>diffusers writes one number for a square and two for height and width.</summary>
internal sealed class SampleSizeConverter : JsonConverter<IReadOnlyList<int>?>
{
    public override IReadOnlyList<int>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number) return [reader.GetInt32()];
        var sizes = new List<int>();
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("expected a number or a list of two");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) sizes.Add(reader.GetInt32());
        return sizes;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<int>? value, JsonSerializerOptions options)
    {
        if (value is null) { writer.WriteNullValue(); return; }
        if (value.Count == 1) { writer.WriteNumberValue(value[0]); return; }
        writer.WriteStartArray();
        foreach (int size in value) writer.WriteNumberValue(size);
        writer.WriteEndArray();
    }
}
