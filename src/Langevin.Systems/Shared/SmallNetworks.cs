using Langevin.Networks;

namespace Langevin.Systems.Shared;

/// <summary>Networks that train in minutes on a processor.</summary>
public static class SmallNetworks
{
    /// <summary>A U-Net for pictures: as many levels as the sides can be halved, at most to where a level is 7 or 8 wide; attention on the last.</summary>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="height">Its height.</param>
    /// <param name="width">Its width.</param>
    /// <param name="classes">Number of classes, or null; one more is kept for "none".</param>
    /// <param name="explodes">Whether noise levels come as σ rather than as steps.</param>
    /// <param name="learnedVariance">Whether it gives a variance too.</param>
    /// <param name="inputs">Channels it reads where they are more than a picture's (a condition beside it).</param>
    /// <param name="baseWidth">Channels of the first level; each next has twice as many, at most 128.</param>
    public static UNet2DConfig Image(int channels, int height, int width, int? classes = null, bool explodes = false, bool learnedVariance = false, int? inputs = null, int baseWidth = 16)
    {
        int levels = 1;
        while (levels < 5 && height % (1 << levels) == 0 && width % (1 << levels) == 0 && Math.Min(height, width) >> levels >= 7) levels++;
        int[] widths = [.. Enumerable.Range(0, levels).Select(i => Math.Min(baseWidth << i, 128))];
        string[] down = [.. Enumerable.Range(0, levels).Select(i => i == levels - 1 && levels > 1 ? "AttnDownBlock2D" : "DownBlock2D")];
        return new UNet2DConfig
        {
            SampleSize = [height, width],
            InChannels = inputs ?? channels,
            OutChannels = learnedVariance ? 2 * channels : channels,
            BlockOutChannels = widths,
            LayersPerBlock = 1,
            DownBlockTypes = down,
            UpBlockTypes = [.. down.Reverse().Select(d => d.Replace("Down", "Up", StringComparison.Ordinal))],
            NormNumGroups = 8,
            AttentionHeadDim = 32,
            TimeEmbeddingType = explodes ? "fourier" : "positional",
            NumClassEmbeds = classes + 1,
        };
    }
}
