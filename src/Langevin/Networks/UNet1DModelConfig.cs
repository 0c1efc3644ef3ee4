namespace Langevin.Networks;

/// <summary>Everything that determines the shape of diffusers' <c>UNet1DModel</c>, an <see cref="AudioUNet1D"/> or a <see cref="PlanningUNet1D"/>; the keys of its JSON are diffusers'.</summary>
public sealed record UNet1DModelConfig
{
    /// <summary>Length that the network was trained for.</summary>
    public int SampleSize { get; init; } = 65_536;

    /// <summary>Samples a second; for information.</summary>
    public int? SampleRate { get; init; }

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 2;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 2;

    /// <summary>Channels that the noise level's features add to the first block's input, for audio.</summary>
    public int ExtraInChannels { get; init; }

    /// <summary>Features of the noise level: "fourier" for audio, "positional" for plans.</summary>
    public string TimeEmbeddingType { get; init; } = "fourier";

    /// <summary>Number of the noise level's features, for audio; null for as many as <see cref="ExtraInChannels"/>.</summary>
    public int? TimeEmbeddingDim { get; init; }

    /// <summary>Whether cosines come before sines.</summary>
    public bool FlipSinToCos { get; init; } = true;

    /// <summary>Whether the features pass through layers of their own: for plans they do, for audio not.</summary>
    public bool UseTimestepEmbedding { get; init; }

    /// <summary>Subtracted in the exponent of the sines' frequencies, for plans.</summary>
    public double FreqShift { get; init; }

    /// <summary>Blocks of the way down: DownBlock1DNoSkip (first), DownBlock1D, AttnDownBlock1D; for plans DownResnetBlock1D.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownBlock1DNoSkip", "DownBlock1D", "AttnDownBlock1D"];

    /// <summary>The middle: UNetMidBlock1D for audio, MidResTemporalBlock1D for plans, ValueFunctionMidBlock1D for their value.</summary>
    public string? MidBlockType { get; init; } = "UNetMidBlock1D";

    /// <summary>Blocks of the way up: AttnUpBlock1D, UpBlock1D, UpBlock1DNoSkip (last); for plans UpResnetBlock1D, one fewer than down, and none for a value.</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["AttnUpBlock1D", "UpBlock1D", "UpBlock1DNoSkip"];

    /// <summary>The end: none for audio, OutConv1DBlock for plans, ValueFunction for their value.</summary>
    public string? OutBlockType { get; init; }

    /// <summary>Channels of each level; with attention a multiple of 32, for plans of 8.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [32, 32, 64];

    /// <summary>Non-linearity of the first and last layers, for plans: silu (swish), mish, gelu or relu.</summary>
    public string? ActFn { get; init; }

    /// <summary>Groups of the last norm, for plans.</summary>
    public int? NormNumGroups { get; init; } = 8;

    /// <summary>Residual blocks of a level after its first, for plans; audio's have three in all.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>Whether the last level and the middle are halved too, for values.</summary>
    public bool DownsampleEachBlock { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key; the nearest known key is named.</exception>
    public static UNet1DModelConfig Parse(string json) => ConfigJson.Parse(json, new UNet1DModelConfig(), ConfigJson.Types.UNet1DModelConfig, "UNet1DModel");

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.UNet1DModelConfig, "UNet1DModel");

    internal int Features => TimeEmbeddingDim ?? (ExtraInChannels > 0 ? ExtraInChannels : 2 * BlockOutChannels[0]);

    /// <summary>Whether it is of the form that values plans.</summary>
    internal bool IsValue => MidBlockType == "ValueFunctionMidBlock1D";

    /// <summary>Groups of the last norm of the form for plans.</summary>
    internal int LastGroups => NormNumGroups ?? Math.Min(BlockOutChannels[0] / 4, 32);

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new ArgumentException($"UNet1DModel: {message}");
    }

    internal void RequirePlans()
    {
        int levels = BlockOutChannels.Count;
        Require(levels > 0 && DownBlockTypes.Count == levels && UpBlockTypes.Count == (IsValue ? 0 : levels - 1), "down_block_types must be as many as block_out_channels, up_block_types one fewer, and none for a value.");
        Require(DownBlockTypes.All(t => t == "DownResnetBlock1D") && UpBlockTypes.All(t => t == "UpResnetBlock1D"), "plans take DownResnetBlock1D and UpResnetBlock1D.");
        Require(TimeEmbeddingType == "positional" && UseTimestepEmbedding && ExtraInChannels == 0 && OutBlockType == (IsValue ? "ValueFunction" : "OutConv1DBlock") && ActFn is not null && DownsampleEachBlock == IsValue,
            "plans take positional features with use_timestep_embedding, an act_fn and OutConv1DBlock; a value ValueFunction and downsample_each_block.");
        Require(InChannels > 0 && OutChannels > 0 && LayersPerBlock > 0 && BlockOutChannels.All(c => c > 0 && c % 8 == 0) && (!IsValue || BlockOutChannels[^1] % 32 == 0) && BlockOutChannels[0] % LastGroups == 0,
            "channels must be multiples of 8, those of the first level of norm_num_groups, those of a value's last of 32.");
    }

    internal void RequireAudio()
    {
        int levels = BlockOutChannels.Count;
        Require(levels > 0 && DownBlockTypes.Count == levels && UpBlockTypes.Count == levels, "down_block_types, up_block_types and block_out_channels must have the same length.");
        Require(TimeEmbeddingType == "fourier" && !UseTimestepEmbedding && OutBlockType is null && !DownsampleEachBlock && MidBlockType == "UNetMidBlock1D",
            "the form for audio takes fourier features, UNetMidBlock1D and no out block; plans take MidResTemporalBlock1D or ValueFunctionMidBlock1D.");
        foreach (string type in DownBlockTypes) Require(type is "DownBlock1DNoSkip" or "DownBlock1D" or "AttnDownBlock1D", $"down_block_types: '{type}' is unknown: use DownBlock1DNoSkip, DownBlock1D or AttnDownBlock1D.");
        foreach (string type in UpBlockTypes) Require(type is "UpBlock1DNoSkip" or "UpBlock1D" or "AttnUpBlock1D", $"up_block_types: '{type}' is unknown: use UpBlock1DNoSkip, UpBlock1D or AttnUpBlock1D.");
        Require(DownBlockTypes.Skip(1).All(t => t != "DownBlock1DNoSkip") && (DownBlockTypes[0] == "DownBlock1DNoSkip" || ExtraInChannels == 0), "DownBlock1DNoSkip, which reads the noise level, stands first.");
        Require(DownBlockTypes[0] != "DownBlock1DNoSkip" || ExtraInChannels == Features, $"extra_in_channels is {ExtraInChannels}, and the noise level has {Features} features: they must be as many.");
        Require(BlockOutChannels[^1] % 32 == 0 && BlockOutChannels.All(c => c > 0), "channels must be positive, those of the last level a multiple of 32.");
    }
}
