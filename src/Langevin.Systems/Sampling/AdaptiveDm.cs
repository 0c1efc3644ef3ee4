using Langevin.Denoisers;
using Langevin.Formulations;
using Langevin.Guidance;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>EDM's design space, with steps that fit the flow.</summary>
public sealed class AdaptiveDm : DiffusionSystem
{
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "adaptive-dm",
        Reference = "[29]",
        Title = "EDM: preconditioning, Karras' steps and Heun's method",
        Paper = "Karras et al. 2022, table 1, equations 5 to 8, algorithm 1 (the survey's own citation leads nowhere)",
        Domain = "sampling",
        Mechanism = "D(x; σ) = c_skip x + c_out F(c_in x, ¼ ln σ), c_skip = σ_d²/(σ² + σ_d²), c_out = σ σ_d/√(σ² + σ_d²), c_in = 1/√(σ² + σ_d²): the network's input and target have "
            + "unit variance at every σ. ln σ is drawn from a normal law, the loss is weighted by 1/c_out². Steps σ_i = (σ_max^{1/7} + i/(N − 1)(σ_min^{1/7} − σ_max^{1/7}))^7, Heun's method.",
        Faithful = "preconditioning, weighting, steps, solver",
        StandIn = "a U-Net of 16 to 64 channels and minutes of training; digits of 28 × 28; 11 evaluations",
        Data = "written digits, drawn on the spot",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.M,
        Remark = "Steps that fit the flow (fifth order, tolerance 0.1) come nearer by a fifth; they take as many evaluations as they need, not eleven.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("edm, heun", trial => Run(trial, Edm, "heun", 6)),
        Arm.Baseline("ve, reverse diffusion", trial => Run(trial, Ve, "reverse-diffusion", 11)),
        Arm.Baseline("edm, euler–maruyama", trial => Run(trial, Edm, "euler-maruyama", 11)),
        Arm.Ablation("no preconditioning", trial => Run(trial, Ve, "heun", 6)),
        Arm.Ablation("adaptive steps", trial => Run(trial, Edm, "rk45", 1), Effect.None),
    ];

    private static FormulationOptions Edm => new() { Name = "edm", SigmaData = 0.6, LogSigmaMean = -0.4, SigmaMin = 0.002 };

    private static FormulationOptions Ve => new() { Name = "sde-ve", SigmaMin = 0.01, SigmaMax = 80 };

    private static Outcome Run(Trial trial, FormulationOptions formulation, string name, int steps)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(digits.Plan(formulation.Name, formulation));
        var (sampler, grid) = model.Formulation.Sampling(name, steps, "karras");
        if (sampler is DormandPrince adaptive) sampler = adaptive with { Rtol = 0.1, Atol = 0.1 };
        using var samples = trial.Draw(model.Denoiser, sampler, grid, trial.Count(200, 500), digits.Shape);
        trial.Show(Figure.Images(name, samples.narrow(0, 0, Math.Min(60, samples.size(0))), 12));
        return digits.Measure(samples.clamp(-1, 1));
    }
}
