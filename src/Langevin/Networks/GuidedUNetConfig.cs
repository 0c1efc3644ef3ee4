namespace Langevin.Networks;

/// <summary>
/// Everything that determines the shape of a <see cref="GuidedUNet"/> or a <see cref="GuidedEncoder"/>; the keys of its JSON are the
/// parameters of guided-diffusion's and improved-diffusion's classes.
/// </summary>
public sealed record GuidedUNetConfig
{
    /// <summary>Height and width that the network is trained on, or the length of a sequence; an attention pool is bound to it.</summary>
    public int ImageSize { get; init; } = 64;

    /// <summary>Channels of the input, without those of a small picture beside it.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of the first level, a multiple of 32.</summary>
    public int ModelChannels { get; init; } = 128;

    /// <summary>Channels of the output: twice those of the input where a variance is learned; of an encoder the number of its answers.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Residual blocks a level.</summary>
    public int NumResBlocks { get; init; } = 2;

    /// <summary>Factors of reduction at which there is attention.</summary>
    public IReadOnlyList<int> AttentionResolutions { get; init; } = [2, 4, 8];

    /// <summary>Channels of each level, in those of the first.</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 4, 8];

    /// <summary>Whether a convolution halves and follows a doubling.</summary>
    public bool ConvResample { get; init; } = true;

    /// <summary>1 for sequences [N, C, L], 2 for pictures [N, C, H, W].</summary>
    public int Dims { get; init; } = 2;

    /// <summary>Number of classes, or null.</summary>
    public int? NumClasses { get; init; }

    /// <summary>Heads of the attention, where <see cref="NumHeadChannels"/> does not say otherwise.</summary>
    public int NumHeads { get; init; } = 1;

    /// <summary>Channels of a head; −1 leaves it to the number of heads.</summary>
    public int NumHeadChannels { get; init; } = -1;

    /// <summary>Heads on the way up; −1 for as many as on the way down.</summary>
    public int NumHeadsUpsample { get; init; } = -1;

    /// <summary>Whether the embedding scales and shifts a norm rather than is added.</summary>
    public bool UseScaleShiftNorm { get; init; }

    /// <summary>Whether residual blocks halve and double.</summary>
    public bool ResblockUpdown { get; init; }

    /// <summary>Whether queries, keys and values are split before the heads rather than within each.</summary>
    public bool UseNewAttentionOrder { get; init; }

    /// <summary>Share of features dropped in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether a small picture, slot <c>low_res</c>, is read beside the input (the reference's <c>SuperResModel</c>).</summary>
    public bool SuperResolution { get; init; }

    /// <summary>How an encoder ends: "adaptive" (mean over pixels) or "attention".</summary>
    public string Pool { get; init; } = "adaptive";

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON object, a value has the wrong type, or a key is unknown; the nearest known key is named.</exception>
    public static GuidedUNetConfig Parse(string json) => ConfigJson.Parse(json, new GuidedUNetConfig(), ConfigJson.Types.GuidedUNetConfig, nameof(GuidedUNet));

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.GuidedUNetConfig, nameof(GuidedUNet));

    internal int Channels(int level) => ModelChannels * ChannelMult[level];

    internal int Heads(int channels, bool up = false) => NumHeadChannels > 0 ? channels / NumHeadChannels : up && NumHeadsUpsample > 0 ? NumHeadsUpsample : NumHeads;

    /// <summary>Throws on what no network can be built from.</summary>
    internal void Validate()
    {
        static void Require(bool condition, string message)
        {
            if (!condition) throw new ArgumentException("GuidedUNet: " + message);
        }
        Require(InChannels > 0 && OutChannels > 0 && NumResBlocks > 0 && NumClasses is null or > 0, "in_channels, out_channels, num_res_blocks and num_classes must be at least 1.");
        Require(ModelChannels > 0 && ModelChannels % 32 == 0, $"model_channels is {ModelChannels}: norms of 32 groups need a multiple of 32.");
        Require(ChannelMult.Count > 0 && ChannelMult.All(m => m > 0), "channel_mult needs a factor of at least 1 for each level.");
        Require(Dims is 1 or 2, $"dims is {Dims}: 1 and 2 are known.");
        Require(!SuperResolution || Dims == 2, "a small picture beside the input needs dims 2.");
        Require(Dropout is >= 0 and < 1, $"dropout is {Dropout}: it must lie in [0, 1).");
        Require(Pool is "adaptive" or "attention", $"pool is '{Pool}': adaptive and attention are known.");
        foreach (int m in ChannelMult)
            Require(NumHeadChannels > 0 ? ModelChannels * m % NumHeadChannels == 0 : NumHeads > 0 && ModelChannels * m % NumHeads == 0, $"{ModelChannels * m} channels cannot be shared among the heads.");
    }
}
