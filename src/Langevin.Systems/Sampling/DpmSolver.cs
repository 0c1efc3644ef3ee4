using Langevin.Guidance;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Sampling;

/// <summary>DPM-Solver++: exponential integrators in the log signal-to-noise ratio.</summary>
public sealed class DpmSolverSystem : DiffusionSystem
{
    private const int Evaluations = 10;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "dpm-solver",
        Reference = "[42], [51], [59]",
        Title = "DPM-Solver++",
        Paper = "Lu et al. 2022a, proposition 3.1; 2022b, equation 8 and algorithm 2",
        Domain = "sampling",
        Mechanism = "In λ = log(α/σ) the flow is linear but for x̂_0: x_s = (σ_s/σ_t) x_t + σ_s ∫ e^λ x̂_0 dλ from λ_t to λ_s. x̂_0 is taken as a polynomial through its last values, "
            + "of degree 0 for order 1, which is DDIM, of degree 1 for order 2. Steps even in λ.",
        Faithful = "the solver, its grid",
        StandIn = "a small model of digits; 10 evaluations. Orders on an exact mixture are in the exact benchmark",
        Data = "written digits, drawn on the spot",
        Metric = new("FID-t", Direction.Lower),
        Time = TimeClass.S,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("2M", trial => Run(trial, "dpm++2m")),
        Arm.Baseline("ddim", trial => Run(trial, "ddim")),
        Arm.Baseline("ancestral", trial => Run(trial, "ddpm")),
        Arm.Ablation("order 1", trial => Run(trial, "ddim", "exponential")),
        Arm.Ablation("steps even in time", trial => Run(trial, "dpm++2m", "linspace")),
    ];

    private static Outcome Run(Trial trial, string sampler, string? grid = null)
    {
        using var digits = PictureSet.Digits(trial);
        using var model = trial.Model(RestoredPictures.Plan(digits));
        var (named, times) = model.Formulation.Sampling(sampler, Evaluations, grid);
        using var samples = trial.Draw(model.Denoiser.Clamped(), named, times, trial.Count(200, 500), digits.Shape);
        trial.Show(Figure.Images($"{Evaluations} evaluations", samples.narrow(0, 0, Math.Min(36, samples.size(0))), 12));
        return digits.Measure(samples);
    }
}
