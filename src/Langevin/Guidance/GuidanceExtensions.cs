using Langevin.Denoisers;

namespace Langevin.Guidance;

/// <summary>Guidance as it is written: <c>model.Guided(4).Thresholded(0.995)</c>. The last named acts last.</summary>
public static class GuidanceExtensions
{
    /// <summary>Classifier-free guidance of scale w (1 is none); see <see cref="ClassifierFreeGuidance"/>.</summary>
    public static IDenoiser Guided(this IDenoiser denoiser, double scale, double rescale = 0, Interval? interval = null) =>
        scale == 1 ? denoiser : new ClassifierFreeGuidance(denoiser, scale, rescale, interval);

    /// <summary>Dynamic thresholding; see <see cref="DynamicThresholding"/>.</summary>
    public static IDenoiser Thresholded(this IDenoiser denoiser, double quantile = 0.995) => new DynamicThresholding(denoiser, quantile);

    /// <summary>x_0 clamped to ±limit; see <see cref="StaticThresholding"/>.</summary>
    public static IDenoiser Clamped(this IDenoiser denoiser, double limit = 1) => new StaticThresholding(denoiser, limit);
}
