namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="Dcgan"/>.</summary>
public sealed record DcganConfig
{
    /// <summary>Channels of a picture.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>Its height, a multiple of 2^<see cref="Levels"/>.</summary>
    public int Height { get; init; } = 28;

    /// <summary>Its width, a multiple of 2^<see cref="Levels"/>.</summary>
    public int Width { get; init; } = 28;

    /// <summary>Numbers of a latent vector.</summary>
    public int Latent { get; init; } = 64;

    /// <summary>Channels at the finest level, a multiple of 8; each coarser one has twice as many.</summary>
    public int BaseWidth { get; init; } = 32;

    /// <summary>How often the resolution is halved, at least 1.</summary>
    public int Levels { get; init; } = 2;

    internal void Validate()
    {
        Require(Channels > 0 && Latent > 0, $"channels ({Channels}) and latent ({Latent}) must be at least 1.");
        Require(BaseWidth > 0 && BaseWidth % 8 == 0, $"base_width is {BaseWidth}: it must be a multiple of 8.");
        Require(Levels is > 0 and < 10, $"levels is {Levels}: it must be 1 to 9.");
        Require(Height > 0 && Width > 0 && Height % (1 << Levels) == 0 && Width % (1 << Levels) == 0, $"{Height}×{Width} cannot be halved {Levels} times.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("Dcgan: " + message);
    }
}
