namespace Langevin.Networks;

/// <summary>Everything that determines the shape of an <see cref="AudioUNet1D"/>; the keys of its JSON are diffusers'.</summary>
public sealed record AudioUNet1DConfig
{
    /// <summary>Length that the network was trained for.</summary>
    public int SampleSize { get; init; } = 65_536;

    /// <summary>Samples a second; for information.</summary>
    public int? SampleRate { get; init; }

    /// <summary>Channels of the input.</summary>
    public int InChannels { get; init; } = 2;

    /// <summary>Channels of the output.</summary>
    public int OutChannels { get; init; } = 2;

    /// <summary>Channels that the noise level's features add to the first block's input.</summary>
    public int ExtraInChannels { get; init; }

    /// <summary>"fourier", the only one known.</summary>
    public string TimeEmbeddingType { get; init; } = "fourier";

    /// <summary>Number of the noise level's features; null for as many as <see cref="ExtraInChannels"/>.</summary>
    public int? TimeEmbeddingDim { get; init; }

    /// <summary>Whether cosines come before sines.</summary>
    public bool FlipSinToCos { get; init; } = true;

    /// <summary>Whether the features pass through layers of their own; false is known.</summary>
    public bool UseTimestepEmbedding { get; init; }

    /// <summary>For sines of whole steps; not read.</summary>
    public double FreqShift { get; init; }

    /// <summary>Blocks of the way down: DownBlock1DNoSkip (first), DownBlock1D, AttnDownBlock1D.</summary>
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownBlock1DNoSkip", "DownBlock1D", "AttnDownBlock1D"];

    /// <summary>"UNetMidBlock1D", the only one known.</summary>
    public string? MidBlockType { get; init; } = "UNetMidBlock1D";

    /// <summary>Blocks of the way up: AttnUpBlock1D, UpBlock1D, UpBlock1DNoSkip (last).</summary>
    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["AttnUpBlock1D", "UpBlock1D", "UpBlock1DNoSkip"];

    /// <summary>None is known.</summary>
    public string? OutBlockType { get; init; }

    /// <summary>Channels of each level; with attention a multiple of 32.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [32, 32, 64];

    /// <summary>Not read by these blocks.</summary>
    public string? ActFn { get; init; }

    /// <summary>Not read by these blocks.</summary>
    public int? NormNumGroups { get; init; } = 8;

    /// <summary>Not read by these blocks, which have three.</summary>
    public int LayersPerBlock { get; init; } = 1;

    /// <summary>False is known.</summary>
    public bool DownsampleEachBlock { get; init; }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">No JSON object, a value of the wrong type, or an unknown key; the nearest known key is named.</exception>
    public static AudioUNet1DConfig Parse(string json) => ConfigJson.Parse(json, new AudioUNet1DConfig(), ConfigJson.Types.AudioUNet1DConfig, nameof(AudioUNet1D));

    /// <summary>The text of a <c>config.json</c>.</summary>
    public string ToJson() => ConfigJson.Write(this, ConfigJson.Types.AudioUNet1DConfig, "UNet1DModel");

    internal int Features => TimeEmbeddingDim ?? (ExtraInChannels > 0 ? ExtraInChannels : 2 * BlockOutChannels[0]);

    internal void Validate()
    {
        void Require(bool holds, string message)
        {
            if (!holds) throw new ArgumentException($"AudioUNet1D: {message}");
        }
        int levels = BlockOutChannels.Count;
        Require(levels > 0 && DownBlockTypes.Count == levels && UpBlockTypes.Count == levels, "down_block_types, up_block_types and block_out_channels must have the same length.");
        Require(TimeEmbeddingType == "fourier" && !UseTimestepEmbedding && OutBlockType is null && !DownsampleEachBlock && MidBlockType == "UNetMidBlock1D",
            "of diffusers' UNet1DModel the form for audio is known: fourier features, UNetMidBlock1D, no out block.");
        foreach (string type in DownBlockTypes) Require(type is "DownBlock1DNoSkip" or "DownBlock1D" or "AttnDownBlock1D", $"down_block_types: '{type}' is unknown: use DownBlock1DNoSkip, DownBlock1D or AttnDownBlock1D.");
        foreach (string type in UpBlockTypes) Require(type is "UpBlock1DNoSkip" or "UpBlock1D" or "AttnUpBlock1D", $"up_block_types: '{type}' is unknown: use UpBlock1DNoSkip, UpBlock1D or AttnUpBlock1D.");
        Require(DownBlockTypes.Skip(1).All(t => t != "DownBlock1DNoSkip") && (DownBlockTypes[0] == "DownBlock1DNoSkip" || ExtraInChannels == 0), "DownBlock1DNoSkip, which reads the noise level, stands first.");
        Require(DownBlockTypes[0] != "DownBlock1DNoSkip" || ExtraInChannels == Features, $"extra_in_channels is {ExtraInChannels}, and the noise level has {Features} features: they must be as many.");
        Require(BlockOutChannels[^1] % 32 == 0 && BlockOutChannels.All(c => c > 0), "channels must be positive, those of the last level a multiple of 32.");
    }
}
