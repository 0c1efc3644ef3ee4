using Langevin.Denoisers;
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
    public static (IDenoiser Denoiser, Sampler Sampler) Create(string name, IDenoiser denoiser, Measurement measurement, double? scale) => name switch
    {
        "ddnm" => (denoiser, new Ddnm(measurement)),
        "ddrm" => (denoiser, new Ddrm(measurement)),
        "dps" => (denoiser, new Dps(measurement, scale ?? 1)),
        "mcg" => (denoiser, new Mcg(measurement, scale ?? 1)),
        "pigdm" => (denoiser.Guided(measurement, dataStd: 0.5, scale: scale ?? 1), new Ddim(1)),
        "diffpir" => (denoiser, new DiffPir(measurement, scale ?? 1)),
        "reddiff" => (denoiser, new RedDiff(measurement, scale ?? 0.25)),
        _ => (denoiser, new RePaint(measurement)),
    };
}
