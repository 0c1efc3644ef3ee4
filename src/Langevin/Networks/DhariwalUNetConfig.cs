namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="DhariwalUNet"/>; names and defaults are those of EDM's constructor.</summary>
public sealed record DhariwalUNetConfig
{
    /// <summary>Height and width, which say at what levels <see cref="AttnResolutions"/> lie and name the blocks.</summary>
    public int ImgResolution { get; init; } = 64;

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Classes, 0 for none. Label −1 ("no class") is the zero vector.</summary>
    public int LabelDim { get; init; }

    /// <summary>Width of the condition's slot <c>augment</c>, 0 for none.</summary>
    public int AugmentDim { get; init; }

    /// <summary>Channels that the multipliers multiply.</summary>
    public int ModelChannels { get; init; } = 192;

    /// <summary>Multiplier of each level, from the finest.</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 3, 4];

    /// <summary>Multiplier of the embedding's width.</summary>
    public int ChannelMultEmb { get; init; } = 4;

    /// <summary>Residual blocks a level of the encoder; the decoder has one more.</summary>
    public int NumBlocks { get; init; } = 3;

    /// <summary>Resolutions with self-attention.</summary>
    public IReadOnlyList<int> AttnResolutions { get; init; } = [32, 16, 8];

    /// <summary>Probability of dropping an activation while training.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Probability of dropping a label while training.</summary>
    public double LabelDropout { get; init; }

    /// <summary>Reads the JSON text of a configuration; absent keys have their default.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key; the nearest known key is named.</exception>
    public static DhariwalUNetConfig Parse(string json) => ConfigJson.Parse(json, new DhariwalUNetConfig(), ConfigJson.Types.DhariwalUNetConfig, nameof(DhariwalUNet));

    /// <summary>The JSON text of this configuration.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.DhariwalUNetConfig, nameof(DhariwalUNet));

    /// <summary>Whether every value is the same, lists by their elements.</summary>
    public bool Equals(DhariwalUNetConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);
}
