namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="SongUNet"/>; names and defaults are those of EDM's constructor.</summary>
public sealed record SongUNetConfig
{
    /// <summary>Height and width, which say at what levels <see cref="AttnResolutions"/> lie and name the blocks.</summary>
    public int ImgResolution { get; init; } = 32;

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Classes, 0 for none. Label −1 ("no class") is the zero vector.</summary>
    public int LabelDim { get; init; }

    /// <summary>Width of the condition's slot <c>augment</c>, 0 for none.</summary>
    public int AugmentDim { get; init; }

    /// <summary>Channels that the multipliers multiply.</summary>
    public int ModelChannels { get; init; } = 128;

    /// <summary>Multiplier of each level, from the finest.</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 2, 2];

    /// <summary>Multiplier of the embedding's width.</summary>
    public int ChannelMultEmb { get; init; } = 4;

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int NumBlocks { get; init; } = 4;

    /// <summary>Resolutions with self-attention.</summary>
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16];

    /// <summary>Probability of dropping an activation while training.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Probability of dropping a label while training.</summary>
    public double LabelDropout { get; init; }

    /// <summary><c>positional</c> (DDPM++) or <c>fourier</c> (NCSN++).</summary>
    public string EmbeddingType { get; init; } = "positional";

    /// <summary>Multiplier of the noise features' width: 1 in DDPM++, 2 in NCSN++.</summary>
    public int ChannelMultNoise { get; init; } = 1;

    /// <summary><c>standard</c> (DDPM++), <c>residual</c> (NCSN++) or <c>skip</c>: how the image enters the levels below the first.</summary>
    public string EncoderType { get; init; } = "standard";

    /// <summary><c>standard</c> or <c>skip</c>: whether the image is built up over the levels.</summary>
    public string DecoderType { get; init; } = "standard";

    /// <summary>Taps of the resampling filter: (1, 1) in DDPM++, (1, 3, 3, 1) in NCSN++.</summary>
    public IReadOnlyList<double> ResampleFilter { get; init; } = [1, 1];

    /// <summary>Reads the JSON text of a configuration; absent keys have their default.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key; the nearest known key is named.</exception>
    public static SongUNetConfig Parse(string json) => ConfigJson.Parse(json, new SongUNetConfig(), ConfigJson.Types.SongUNetConfig, nameof(SongUNet));

    /// <summary>The JSON text of this configuration.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.SongUNetConfig, nameof(SongUNet));

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(SongUNetConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);
}
