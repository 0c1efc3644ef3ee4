using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>Pixelwise errors of image pairs [N, ...], each [N] in float64.</summary>
public static class ImageError
{
    /// <summary>Mean squared error.</summary>
    public static Tensor MeanSquared(Tensor first, Tensor second) => Mean(first, second, d => d.square());

    /// <summary>Mean absolute error.</summary>
    public static Tensor MeanAbsolute(Tensor first, Tensor second) => Mean(first, second, d => d.abs());

    /// <summary>Root of the mean squared error.</summary>
    public static Tensor RootMeanSquared(Tensor first, Tensor second) => WrappedTensorDisposeScope(() => MeanSquared(first, second).sqrt());

    /// <summary>Peak signal-to-noise ratio 10 log₁₀(range² / MSE) in dB; infinite for equal images.</summary>
    /// <param name="first">[N, ...].</param>
    /// <param name="second">[N, ...].</param>
    /// <param name="range">Difference of the largest and the smallest possible value: 2 for [−1, 1], 255 for bytes.</param>
    public static Tensor PeakSignalToNoise(Tensor first, Tensor second, double range)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(range);
        return WrappedTensorDisposeScope(() => (range * range / MeanSquared(first, second)).log10() * 10);
    }

    /// <summary>
    /// PSNR-μ of linear high-dynamic-range images scaled to [0, 1]: the PSNR after the range compression
    /// log(1 + μx) / log(1 + μ) (Kalantari and Ramamoorthi 2017). PSNR-L is <see cref="PeakSignalToNoise"/> of the same
    /// linear values at range 1.
    /// </summary>
    /// <param name="first">[N, ...], values in [0, 1]; what lies outside is cut off.</param>
    /// <param name="second">[N, ...].</param>
    /// <param name="mu">μ, 5,000 in the paper.</param>
    public static Tensor PeakSignalToNoiseMu(Tensor first, Tensor second, double mu = 5000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mu);
        Tensor Compressed(Tensor x) => (x.to(float64).clamp(0, 1) * mu).log1p() / Math.Log(1 + mu);
        return WrappedTensorDisposeScope(() => PeakSignalToNoise(Compressed(first), Compressed(second), 1));
    }

    private static Tensor Mean(Tensor first, Tensor second, Func<Tensor, Tensor> of)
    {
        Require.SameShape(first, second);
        if (first.dim() < 2 || first.numel() == 0) throw new ArgumentException($"expected images [N, ...], got {Require.Shape(first)}", nameof(first));
        return WrappedTensorDisposeScope(() => of(first.to(float64) - second.to(float64)).flatten(1).mean([1]));
    }
}
