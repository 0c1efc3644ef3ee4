using Langevin.Metrics.Images;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>How near pictures in [−1, 1] come to the truth: each cut off at black and white, as it would be shown.</summary>
internal static class Quality
{
    /// <summary>Peak signal-to-noise ratio in dB, [N] in float64; at most 200, where nothing is wrong.</summary>
    public static Tensor Psnr(Tensor pictures, Tensor truth) => WrappedTensorDisposeScope(() =>
        ImageError.PeakSignalToNoise(pictures.clamp(-1, 1), truth.expand(pictures.shape).clamp(-1, 1), 2).clamp_max(200));

    /// <summary>Structural similarity, [N] in float64; for pictures no smaller than its window.</summary>
    public static Tensor Ssim(Tensor pictures, Tensor truth) => WrappedTensorDisposeScope(() =>
        StructuralSimilarity.Between(pictures.clamp(-1, 1), truth.expand(pictures.shape).clamp(-1, 1), 2));

    /// <summary>The measures that pictures of a size allow, by name.</summary>
    public static IEnumerable<(string Name, Func<Tensor, Tensor, Tensor> Of)> Measures(long height, long width)
    {
        yield return ("psnr", Psnr);
        if (Math.Min(height, width) >= 11) yield return ("ssim", Ssim);
    }
}
