using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>A change of resolution by two, of images [N, C, H, W].</summary>
internal enum Resampling
{
    None,
    /// <summary>Mean of 2×2 pixels, or each pixel repeated 2×2 times.</summary>
    Box,
    /// <summary>The low-pass filter (1, 3, 3, 1).</summary>
    Fir,
}

/// <summary>Resampling that learns nothing.</summary>
internal static class Resample
{
    private static readonly double[] Taps = [1, 3, 3, 1];

    public static Tensor Down(Tensor x, Resampling kind) =>
        kind == Resampling.Fir ? Filtered(x, (image, kernel) => FirResample.Down(image, kernel)) : nn.functional.avg_pool2d(x, 2, stride: 2);

    public static Tensor Up(Tensor x, Resampling kind) =>
        kind == Resampling.Fir ? Filtered(x, FirResample.Up)
        : nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest);

    private static Tensor Filtered(Tensor x, Func<Tensor, Tensor, Tensor> resample)
    {
        using var kernel = FirResample.Kernel(Taps);
        return resample(x, kernel);
    }
}

/// <summary>Halves the resolution by a strided convolution; padding 0 pads the right and the bottom only.</summary>
internal sealed class Downsample2D : Block
{
    private readonly Conv2d conv;
    private readonly bool padRight;

    public Downsample2D(long channels, int padding) : base(nameof(Downsample2D))
    {
        conv = new(channels, channels, 3, stride: 2, padding: padding);
        padRight = padding == 0;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor? embedding)
    {
        if (!padRight) return conv.call(x);
        using var padded = nn.functional.pad(x, [0, 1, 0, 1]);
        return conv.call(padded);
    }
}

/// <summary>Doubles the resolution by repetition, then convolves.</summary>
internal sealed class Upsample2D : Block
{
    private readonly UpsampleConv2d conv;

    public Upsample2D(long channels) : base(nameof(Upsample2D))
    {
        conv = new(channels, channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor? embedding) => conv.call(x);
}
