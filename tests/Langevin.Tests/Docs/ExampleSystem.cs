using Langevin.Data.Procedural;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>Heun's method on the flow, against Euler's.</summary>
public sealed class HeunSystem : DiffusionSystem
{
    public override SystemCard Card { get; } = new()
    {
        Id = "heun-example",
        Reference = "none",
        Title = "Heun's method on the probability flow",
        Paper = "Karras et al. 2022, algorithm 1",
        Domain = "sampling",
        Mechanism = "Each step averages the slopes at its two ends: an error of h² instead of h, for two evaluations.",
        Faithful = "the step and its grid",
        StandIn = "an exact denoiser in the network's place",
        Data = "eight Gaussians in the plane",
        Metric = new("sliced Wasserstein distance", Direction.Lower),
        Time = TimeClass.XS,
    };

    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("heun, 20 steps", trial => Draw(trial, order: 2, rho: 7)),
        Arm.Baseline("euler, 40 steps", trial => Draw(trial, order: 1, rho: 7)),
        Arm.Ablation("steps even in σ", trial => Draw(trial, order: 2, rho: 1)),
    ];

    private static Outcome Draw(Trial trial, int order, double rho)
    {
        var process = new EdmProcess();
        using var denoiser = Toys.EightGaussiansMixture(process);
        using var real = Toys.EightGaussians(trial.Count(quick: 2000, full: 10_000), seed: 1);
        var grid = TimeGrid.Karras(process, steps: 40 / order, rho);
        using var samples = trial.Draw(denoiser, new ProbabilityFlow(order), grid, real.Count, real.ItemShape);
        trial.Show(Figure.Of("samples", new Chart { Square = true }.Points("", samples)));
        return Score.Of(samples, s => TwoSample.SlicedWasserstein1(s, real.Items), trial.Seed);
    }
}
