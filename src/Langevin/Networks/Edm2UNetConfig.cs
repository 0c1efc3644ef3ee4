namespace Langevin.Networks;

/// <summary>Everything that determines the shape of an <see cref="Edm2UNet"/>; names and defaults are those of EDM2's constructor.</summary>
public sealed record Edm2UNetConfig
{
    /// <summary>Height and width, which say at what levels <see cref="AttnResolutions"/> lie and name the blocks.</summary>
    public int ImgResolution { get; init; } = 64;

    /// <summary>Channels of input and output.</summary>
    public int ImgChannels { get; init; } = 3;

    /// <summary>Classes, 0 for none. Label −1 ("no class") is the zero vector.</summary>
    public int LabelDim { get; init; }

    /// <summary>Channels that the multipliers multiply.</summary>
    public int ModelChannels { get; init; } = 192;

    /// <summary>Multiplier of each level, from the finest.</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 3, 4];

    /// <summary>Multiplier of the number of noise features; null for that of the finest level.</summary>
    public int? ChannelMultNoise { get; init; }

    /// <summary>Multiplier of the embedding's width; null for the largest of the levels.</summary>
    public int? ChannelMultEmb { get; init; }

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int NumBlocks { get; init; } = 3;

    /// <summary>Resolutions with self-attention.</summary>
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16, 8];

    /// <summary>Share of the class in the embedding, against the noise level.</summary>
    public double LabelBalance { get; init; } = 0.5;

    /// <summary>Share of the encoder's state where it joins the decoder.</summary>
    public double ConcatBalance { get; init; } = 0.5;

    /// <summary>Channels of an attention head.</summary>
    public int ChannelsPerHead { get; init; } = 64;

    /// <summary>Share of a residual block's branch.</summary>
    public double ResBalance { get; init; } = 0.3;

    /// <summary>Share of attention's branch.</summary>
    public double AttnBalance { get; init; } = 0.3;

    /// <summary>Limit of activations; null for none.</summary>
    public double? ClipAct { get; init; } = 256;

    /// <summary>Probability of dropping an activation while training.</summary>
    public double Dropout { get; init; }

    /// <summary>Features of <see cref="Edm2Uncertainty"/>, which is trained beside the network.</summary>
    public int LogvarChannels { get; init; } = 128;

    /// <summary>Reads the JSON text of a configuration; absent keys have their default.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key; the nearest known key is named.</exception>
    public static Edm2UNetConfig Parse(string json) => ConfigJson.Parse(json, new Edm2UNetConfig(), ConfigJson.Types.Edm2UNetConfig, nameof(Edm2UNet));

    /// <summary>The JSON text of this configuration.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.Edm2UNetConfig, nameof(Edm2UNet));

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(Edm2UNetConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);
}
