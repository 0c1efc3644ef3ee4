using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>How structural similarity weighs a pixel's neighbourhood. The default is the definition of Wang et al. 2004.</summary>
public sealed record SimilarityWindow
{
    /// <summary>Side of the square window, odd.</summary>
    public int Size { get; init; } = 11;

    /// <summary>Standard deviation of the Gaussian weights; null weighs all pixels alike.</summary>
    public double? Sigma { get; init; } = 1.5;

    /// <summary>Divide variances by n − 1 instead of n, n being the number of pixels of the window.</summary>
    public bool SampleCovariance { get; init; }

    /// <summary>Constant of the luminance term.</summary>
    public double K1 { get; init; } = 0.01;

    /// <summary>Constant of the contrast term.</summary>
    public double K2 { get; init; } = 0.03;

    /// <summary>Normalised weights along one side, float64 [Size].</summary>
    internal Tensor Weights(Device device) => WrappedTensorDisposeScope(() =>
    {
        if (Size < 1 || Size % 2 == 0) throw new ArgumentOutOfRangeException(nameof(Size), Size, "the window must have an odd side");
        if (Sigma is not { } sigma) return full(Size, 1.0 / Size, float64, device);
        var at = arange(Size, float64, device) - Size / 2;
        var weights = (at.square() / (-2 * sigma * sigma)).exp();
        return weights / weights.sum();
    });
}

/// <summary>
/// Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004, IEEE TIP 13) of image pairs [N, C, H, W], over the
/// windows that lie wholly inside the image; channels are judged apart and averaged.
/// </summary>
public static class StructuralSimilarity
{
    // Exponents of the five scales, finest first: Wang, Simoncelli and Bovik 2003.
    private static readonly double[] ScaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

    /// <summary>Mean similarity of each pair, [N], float64; 1 for equal images.</summary>
    /// <param name="first">[N, C, H, W].</param>
    /// <param name="second">[N, C, H, W].</param>
    /// <param name="range">Difference of the largest and the smallest possible value.</param>
    /// <param name="window">The window; Wang's when null.</param>
    public static Tensor Between(Tensor first, Tensor second, double range, SimilarityWindow? window = null) =>
        WrappedTensorDisposeScope(() => Map(first, second, range, window).mean([1, 2, 3]));

    /// <summary>The similarity at each window, [N, C, H − Size + 1, W − Size + 1], float64.</summary>
    public static Tensor Map(Tensor first, Tensor second, double range, SimilarityWindow? window = null) =>
        WrappedTensorDisposeScope(() =>
        {
            var (luminance, contrast) = Terms(first, second, range, window ?? new());
            return luminance * contrast;
        });

    /// <summary>
    /// Multi-scale similarity of each pair, [N], float64: contrast at five scales, each half the last by 2 × 2 means,
    /// and luminance at the coarsest, each channel to its scale's exponent (Wang, Simoncelli and Bovik 2003).
    /// </summary>
    /// <param name="first">[N, C, H, W] with sides above 16 (Size − 1): 160 for the default window.</param>
    /// <param name="second">[N, C, H, W].</param>
    /// <param name="range">Difference of the largest and the smallest possible value.</param>
    /// <param name="window">The window; Wang's when null.</param>
    public static Tensor MultiScale(Tensor first, Tensor second, double range, SimilarityWindow? window = null)
    {
        window ??= new();
        Check(first, second, range, window);
        long least = 16L * (window.Size - 1);
        if (Math.Min(first.size(2), first.size(3)) <= least)
            throw new ArgumentException($"sides of {first.size(2)} × {first.size(3)} pixels are too small for five scales: both must be above {least}", nameof(first));
        return WrappedTensorDisposeScope(() =>
        {
            var (x, y) = (first.to(float64), second.to(float64));
            var product = ones([x.size(0), x.size(1)], float64, x.device);
            for (int scale = 0; scale < ScaleWeights.Length; scale++)
            {
                var (luminance, contrast) = Terms(x, y, range, window);
                bool last = scale == ScaleWeights.Length - 1;
                var term = (last ? luminance * contrast : contrast).mean([2, 3]);
                // A negative mean contrast has no real power: it counts as 0.
                product = product * term.clamp_min(0).pow(ScaleWeights[scale]);
                if (!last) (x, y) = (Halved(x), Halved(y));
            }
            return product.mean([1]);
        });
    }

    private static (Tensor luminance, Tensor contrast) Terms(Tensor first, Tensor second, double range, SimilarityWindow window)
    {
        Check(first, second, range, window);
        var (x, y) = (first.to(float64), second.to(float64));
        var weights = window.Weights(x.device);
        Tensor Mean(Tensor t) => Blur(t, weights);
        double n = (double)window.Size * window.Size, unbias = window.SampleCovariance ? n / (n - 1) : 1;
        double c1 = Math.Pow(window.K1 * range, 2), c2 = Math.Pow(window.K2 * range, 2);
        var (mx, my) = (Mean(x), Mean(y));
        var (xx, yy, xy) = (unbias * (Mean(x * x) - mx * mx), unbias * (Mean(y * y) - my * my), unbias * (Mean(x * y) - mx * my));
        return ((2 * mx * my + c1) / (mx * mx + my * my + c1), (2 * xy + c2) / (xx + yy + c2));
    }

    /// <summary>Separable weighted mean over the windows inside the image.</summary>
    private static Tensor Blur(Tensor x, Tensor weights)
    {
        long n = x.size(0), c = x.size(1), size = weights.size(0);
        var flat = x.reshape(n * c, 1, x.size(2), x.size(3));
        var rows = nn.functional.conv2d(flat, weights.view(1, 1, size, 1));
        var both = nn.functional.conv2d(rows, weights.view(1, 1, 1, size));
        return both.view(n, c, both.size(2), both.size(3));
    }

    /// <summary>2 × 2 means at stride 2; an odd side is padded by a zero that counts, before the first pixel.</summary>
    private static Tensor Halved(Tensor x) =>
        nn.functional.avg_pool2d(x, [2, 2], [2, 2], [x.size(2) % 2, x.size(3) % 2], false, true);

    private static void Check(Tensor first, Tensor second, double range, SimilarityWindow window)
    {
        Require.SameShape(first, second);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(range);
        if (first.dim() != 4 || Math.Min(first.size(2), first.size(3)) < window.Size || first.numel() == 0)
            throw new ArgumentException($"expected images [N, C, H, W] with sides of at least {window.Size} pixels, got {Require.Shape(first)}", nameof(first));
    }
}
