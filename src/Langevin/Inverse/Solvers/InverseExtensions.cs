using Langevin.Denoisers;

namespace Langevin.Inverse;

/// <summary>Restoration as it is written: <c>model.Consistent(measurement)</c>, for any sampler.</summary>
public static class InverseExtensions
{
    /// <summary>x̂_0 with what the measurement knows put in its place (DDNM); see <see cref="RangeConsistency"/>.</summary>
    public static IDenoiser Consistent(this IDenoiser denoiser, Measurement measurement) => new RangeConsistency(denoiser, measurement);

    /// <summary>Guided by the measurement through the model's gradient (ΠGDM); see <see cref="PseudoInverseGuidance"/>.</summary>
    public static IDenoiser Guided(this IDenoiser denoiser, Measurement measurement, double dataStd = 1, double scale = 1, double trust = 40) =>
        new PseudoInverseGuidance(denoiser, measurement, dataStd, scale, trust);
}
