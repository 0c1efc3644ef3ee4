using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>Improved DDPM: a learned variance and the cosine schedule.</summary>
public sealed class ImprovedDdpm : DiffusionSystem
{
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "improved-ddpm",
        Reference = "[22]",
        Title = "improved denoising diffusion probabilistic models",
        Paper = "Nichol and Dhariwal 2021, equations 14 to 17",
        Domain = "foundations",
        Mechanism = "ᾱ_t = cos²((t/T + 0.008)/1.008 · π/2), scaled to 1 at 0. The network also gives v, which puts the variance of a step between its bounds: "
            + "Σ = exp(v log β + (1 − v) log β̃), learnt by L_hybrid = L_simple + 0.001 L_vlb, where the mean is stopped. Respaced steps take β and β̃ of the subsequence.",
        Faithful = "schedule, variance, loss, respacing",
        StandIn = "a U-Net of 16 to 64 channels and minutes of training; digits of 28 × 28",
        Data = "written digits, drawn on the spot, as 8-bit pixels",
        Metric = new("bound of 25 steps", Direction.Lower, "bits/dim"),
        Time = TimeClass.M,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("cosine, learned variance", trial => Run(trial, Learned("cosine"), ReverseVariance.Learned)),
        Arm.Baseline("ddpm: linear, β̃", trial => Run(trial, digits => Ddpm.Plan(digits), ReverseVariance.Small)),
        Arm.Baseline("ddpm: linear, β", trial => Run(trial, digits => Ddpm.Plan(digits), ReverseVariance.Large)),
        Arm.Ablation("fixed variance", trial => Run(trial, Learned("cosine"), ReverseVariance.Large)),
        Arm.Ablation("linear schedule", trial => Run(trial, Learned("linear"), ReverseVariance.Learned)),
    ];

    private static Func<PictureSet, ModelPlan> Learned(string schedule) =>
        digits => digits.Plan("improved-ddpm", new() { Name = "ddpm", BetaSchedule = schedule, LearnedVariance = true });

    private static Outcome Run(Trial trial, Func<PictureSet, ModelPlan> plan, ReverseVariance variance)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(plan(digits));
        var process = (DiscreteProcess)model.Denoiser.Process;
        var grid = TimeGrid.Spaced(process, trial.Pick(5, 25, 25));
        var pictures = PictureSet.First(digits.HeldOut, trial.Count(64, 256)).Pictures;
        using var bound = new VariationalBound(variance).Evaluate(model.Denoiser.Clamped(), pictures, Condition.None, [.. grid.Times.Where(t => t != process.DataTime)], seed: trial.Seed);
        using var samples = trial.Draw(model.Denoiser.Clamped(), new DdpmAncestral(variance), TimeGrid.Uniform(process, trial.Pick(5, 25, 25), toData: true), trial.Count(60, 500), digits.Shape);
        trial.Show(Figure.Images("25 ancestral steps", samples.narrow(0, 0, Math.Min(60, samples.size(0))), 12));
        return new Outcome(Score.Of(bound.Total)).With("FID-t", digits.Measure(samples).Score.Value);
    }
}
