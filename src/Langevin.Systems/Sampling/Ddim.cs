using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>DDIM: fewer steps of the same model, and a way back.</summary>
public sealed class DdimSystem : DiffusionSystem
{
    private const int Few = 10;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ddim",
        Reference = "Fig. 10, §8",
        Title = "denoising diffusion implicit models",
        Paper = "Song, Meng and Ermon 2021, equations 12, 14 and 16",
        Domain = "sampling",
        Mechanism = "x_s = √ᾱ_s x̂_0 + √(1 − ᾱ_s − σ²) ε̂ + σ z, σ = η √((1 − ᾱ_s)/(1 − ᾱ_t)) √(1 − ᾱ_t/ᾱ_s). η = 0 is deterministic, so that the same steps "
            + "upwards take a picture to the noise it comes from; η = 1 is the ancestral step.",
        Faithful = "step, inversion",
        StandIn = "a small model of digits; 10 steps",
        Data = "written digits, drawn on the spot",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.S,
        Remark = "At ten steps the distances with η of 0, 0.5 and 1 differ by no more than they spread over three seeds, though steps of second order with the same models (dpm-solver) come out well below all three. Why noise does no harm here is not known.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("ddim", trial => Run(trial, new Ddim(), shows: true)),
        Arm.Baseline("ancestral", trial => Run(trial, new DdpmAncestral(ReverseVariance.Small))),
        Arm.Ablation("η = 0.5", trial => Run(trial, new Ddim(0.5))),
        Arm.Ablation("η = 1", trial => Run(trial, new Ddim(1))),
    ];

    private static Outcome Run(Trial trial, Sampler sampler, bool shows = false)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(RestoredPictures.Plan(digits));
        var process = model.Denoiser.Process;
        using var samples = trial.Draw(model.Denoiser.Clamped(), sampler, TimeGrid.Uniform(process, Few, toData: true), trial.Count(200, 500), digits.Shape);
        trial.Show(Figure.Images($"{Few} steps", samples.narrow(0, 0, Math.Min(60, samples.size(0))), 12));
        var outcome = digits.Measure(samples);
        return shows ? outcome.With("PSNR of the round trip, dB", RoundTrip(trial, model.Denoiser, digits)) : outcome;
    }

    // Up to noise and down again on one grid: what the two together lose.
    private static double RoundTrip(Trial trial, IDenoiser denoiser, PictureSet digits)
    {
        var pictures = PictureSet.First(digits.HeldOut, 8).Pictures;
        var down = TimeGrid.Uniform(denoiser.Process, trial.Pick(3, 50, 100));
        var up = down.Reversed();
        using var noise = new Ddim().Run(denoiser, pictures, up, cancellation: trial.Cancellation);
        using var again = new Ddim().Run(denoiser, noise, down, cancellation: trial.Cancellation);
        trial.Show(Figure.Rows("pictures, the noise they come from, and back", pictures, noise.clamp(-1, 1), again));
        return Metrics.Images.ImageError.PeakSignalToNoise(pictures, again.clamp(-1, 1), 2).mean().item<double>();
    }
}
