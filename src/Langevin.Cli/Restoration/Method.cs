using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Inverse;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>A method of restoration with its numbers.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="Steps">Sampling steps.</param>
/// <param name="Scale">The method's weight, where it has one.</param>
/// <param name="Strength">Where not null, the share of the steps that is walked, from the classical answer (CCDF).</param>
internal sealed record Method(string Name, int Steps, double? Scale, double? Strength)
{
    public static readonly string[] Names = ["ddnm", "ddrm", "dps", "pigdm", "diffpir", "reddiff", "mcg", "repaint"];

    /// <summary>The method for a task with its numbers, by name or, when none is named, what suits the task.</summary>
    public static Method For(RestorationTask task, string? name) => (name ?? Default(task)) switch
    {
        "reddiff" => new("reddiff", 100, 0.25, null),
        var other => new(other, 100, other is "dps" or "mcg" or "pigdm" or "diffpir" ? 1 : null, null),
    };

    // DDNM+ trusts a blur's weakest frequencies too much, where ΠGDM weighs them against the noise: chosen on training pictures.
    private static string Default(RestorationTask task) => task.Operator switch
    {
        _ when task.Sigma == 0 => "ddnm",
        Blur => "pigdm",
        SpectralOperator => "ddnm",
        LinearOperator => "pigdm",
        _ => "dps",
    };

    /// <summary>Draws answers to measurements: <see cref="Canvas.Samples"/> for each of y's N.</summary>
    /// <param name="canvas">The model.</param>
    /// <param name="task">The task.</param>
    /// <param name="y">[N, ...].</param>
    /// <param name="start">The classical answer, [N, C, H, W].</param>
    /// <param name="progress">Told the share done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>[N, samples, C, H, W] on the host, the caller's; and the evaluations for each.</returns>
    public (Tensor Answers, int Evaluations) Draw(Canvas canvas, RestorationTask task, Tensor y, Tensor start, Action<double> progress, CancellationToken cancellation)
    {
        int count = (int)y.shape[0];
        var prior = canvas.Prior;
        var (answers, evaluations) = canvas.Draw((first, length) =>
        {
            // Answer j to measurement i is sample i k + j.
            var which = arange(first, first + length, device: y.device).div(canvas.Samples, RoundingMode.floor);
            var (denoiser, sampler) = With(prior, canvas.Model.Formulation.ClipsSamples, new(task.Operator, y.index_select(0, which), task.Sigma));
            return (denoiser, Strength is { } share ? new SdEdit(start.index_select(0, which), share, sampler) : sampler);
        }, count * canvas.Samples, Steps, progress, cancellation);
        using (answers) return (answers.view([count, canvas.Samples, .. answers.shape[1..]]).DetachFromDisposeScope(), evaluations);
    }

    private (IDenoiser Denoiser, Sampler Sampler) With(IDenoiser model, bool clamped, Measurement measurement)
    {
        // ΠGDM's gradient is the model's, not the clamp's, which has none where a pixel is black or white.
        if (Name == "pigdm") model = model.Guided(measurement, dataStd: 0.5, scale: Scale!.Value);
        return (clamped ? model.Clamped() : model, Name switch
        {
            "pigdm" => new Ddim(1),
            "ddnm" => new Ddnm(measurement),
            "ddrm" => new Ddrm(measurement),
            "dps" => new Dps(measurement, Scale!.Value),
            "mcg" => new Mcg(measurement, Scale!.Value),
            "diffpir" => new DiffPir(measurement, Scale!.Value),
            "reddiff" => new RedDiff(measurement, Scale!.Value),
            _ => new RePaint(measurement),
        });
    }
}
