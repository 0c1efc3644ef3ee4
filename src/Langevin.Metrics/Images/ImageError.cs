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

    private static Tensor Mean(Tensor first, Tensor second, Func<Tensor, Tensor> of)
    {
        Require.SameShape(first, second);
        if (first.dim() < 2 || first.numel() == 0) throw new ArgumentException($"expected images [N, ...], got {Require.Shape(first)}", nameof(first));
        return WrappedTensorDisposeScope(() => of(first.to(float64) - second.to(float64)).flatten(1).mean([1]));
    }
}
