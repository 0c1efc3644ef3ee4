namespace Langevin.Networks.Diffusers;

/// <summary>How a level of the U-Net is made up: what its block type's name says.</summary>
/// <param name="Attention">Whether attention follows its residual blocks.</param>
/// <param name="Residual">Whether it changes resolution by a residual block rather than by a convolution.</param>
/// <param name="Skip">Whether the image itself is passed down or up beside the features (NCSN++).</param>
internal readonly record struct BlockKind(bool Attention, bool Residual, bool Skip)
{
    private static readonly string[] Down = ["DownBlock2D", "ResnetDownsampleBlock2D", "AttnDownBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D"];
    private static readonly string[] Up = ["UpBlock2D", "ResnetUpsampleBlock2D", "AttnUpBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D"];

    public static BlockKind OfDown(string name, string resampling) => Of(name, resampling, "down", Down);

    public static BlockKind OfUp(string name, string resampling) => Of(name, resampling, "up", Up);

    private static BlockKind Of(string name, string resampling, string way, string[] known)
    {
        if (resampling is not ("conv" or "resnet"))
            throw new ArgumentException($"{way}sample_type '{resampling}' is unknown: use conv or resnet.");
        return Array.IndexOf(known, name.StartsWith("UNetRes", StringComparison.Ordinal) ? name[7..] : name) switch
        {
            0 => new(false, false, false),
            1 => new(false, true, false),
            2 => new(true, resampling == "resnet", false),
            3 => new(false, true, true),
            4 => new(true, true, true),
            _ => throw new ArgumentException($"{way}_block_types: '{name}' is unknown: use {string.Join(", ", known)}."),
        };
    }
}
