using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Samplers;
using Langevin.Systems.Baselines;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>DDPM.</summary>
public sealed class Ddpm : DiffusionSystem
{
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ddpm",
        Reference = "[2]",
        Title = "denoising diffusion probabilistic models",
        Paper = "Ho, Jain and Abbeel 2020, equations 4, 11, 12 and 14, algorithms 1 and 2",
        Domain = "foundations",
        Mechanism = "x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε with β from 1e-4 to 0.02 in 1,000 steps. A network learns ε by L_simple = E‖ε − ε_θ(x_t, t)‖². "
            + "A step back is x_{t−1} = (x_t − β_t/√(1 − ᾱ_t) ε_θ)/√α_t + σ_t z with σ_t² = β_t; x̂_0 is kept in [−1, 1].",
        Faithful = "process, loss, ancestral step, averaged weights",
        StandIn = "a U-Net of 16 to 64 channels and minutes of training; digits of 28 × 28; steps respaced to a tenth",
        Data = "written digits, drawn on the spot (10,000; 1,000 held out)",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.M,
        Remark = "Of the three models of ε two come out at 25 and 20, well below the baselines, and one at 103: eight hundred steps are too few to rely on. A model of x_0, trained as long, draws nearer pictures than one of ε with each seed, where Ho et al. found it worse.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("ε, L_simple", trial => Run(trial, "epsilon", trial.Pick(10, 50, 100))),
        Arm.Baseline("Gaussian fit", Gan.Gaussian),
        Arm.Baseline("variational autoencoder", Gan.Vae),
        Arm.Ablation("x_0 as target", trial => Run(trial, "sample", trial.Pick(10, 50, 100))),
        Arm.Ablation("10 steps", trial => Run(trial, "epsilon", 10)),
    ];

    /// <summary>The plan of the model as the paper sets it up.</summary>
    internal static ModelPlan Plan(PictureSet digits, string target = "epsilon") => digits.Plan("ddpm", new() { Name = "ddpm", BetaSchedule = "linear", PredictionType = target });

    private static Outcome Run(Trial trial, string target, int steps)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(Plan(digits, target));
        using var samples = trial.Draw(model.Denoiser.Clamped(), new DdpmAncestral(ReverseVariance.Large), TimeGrid.Uniform(model.Denoiser.Process, steps, toData: true), trial.Count(200, 500), digits.Shape);
        trial.Show(Figure.Images($"{steps} ancestral steps, target {target}", samples.narrow(0, 0, Math.Min(60, samples.size(0))), 12));
        return digits.Measure(samples);
    }
}
