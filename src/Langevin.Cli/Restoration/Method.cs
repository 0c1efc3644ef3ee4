using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Inverse;
using Langevin.Samplers;

namespace Langevin.Cli.Restoration;

/// <summary>Methods of restoration by name.</summary>
internal static class Method
{
    public static readonly string[] Names = ["ddnm", "ddrm", "dps", "pigdm", "diffpir", "reddiff", "mcg", "repaint"];

    /// <summary>The method for a task when none is named: DDNM where it applies, else ΠGDM.</summary>
    public static string Default(Measurement measurement) => measurement.Sigma == 0 || measurement.Operator is SpectralOperator ? "ddnm"
        : measurement.Operator is LinearOperator ? "pigdm" : "dps";

    /// <summary>The denoiser and the sampler of a method.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="model">The model, guided or not.</param>
    /// <param name="clamped">Whether its x̂_0 is kept in [−1, 1].</param>
    /// <param name="measurement">What is known.</param>
    /// <param name="scale">The method's weight.</param>
    public static (IDenoiser Denoiser, Sampler Sampler) Create(string name, IDenoiser model, bool clamped, Measurement measurement, double? scale)
    {
        IDenoiser Clamped(IDenoiser denoiser) => clamped ? denoiser.Clamped() : denoiser;
        // ΠGDM's gradient is the model's, not the clamp's, which has none where a pixel is black or white.
        return name == "pigdm" ? (Clamped(model.Guided(measurement, dataStd: 0.5, scale: scale ?? 1)), new Ddim(1)) : Create(name, Clamped(model), measurement, scale);
    }

    private static (IDenoiser Denoiser, Sampler Sampler) Create(string name, IDenoiser denoiser, Measurement measurement, double? scale) => name switch
    {
        "ddnm" => (denoiser, new Ddnm(measurement)),
        "ddrm" => (denoiser, new Ddrm(measurement)),
        "dps" => (denoiser, new Dps(measurement, scale ?? 1)),
        "mcg" => (denoiser, new Mcg(measurement, scale ?? 1)),
        "diffpir" => (denoiser, new DiffPir(measurement, scale ?? 1)),
        "reddiff" => (denoiser, new RedDiff(measurement, scale ?? 0.25)),
        _ => (denoiser, new RePaint(measurement)),
    };
}
