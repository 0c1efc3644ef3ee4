using Langevin.Data.Procedural;
using Langevin.Metrics.Distributions;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The sampler of "Adding a sampler", against Euler's method.</summary>
public sealed class AdamsBashforthSystem : DiffusionSystem
{
    public override SystemCard Card { get; } = new()
    {
        Id = "adams-bashforth",
        Reference = "none",
        Title = "a second-order multistep method on the probability flow",
        Paper = "Zhang and Chen 2023, equation 15",
        Domain = "sampling",
        Mechanism = "Each step goes on along the line through the last two slopes ε̂: an error of h² instead of h, for one evaluation.",
        Faithful = "the step and its grid",
        StandIn = "an exact denoiser in the network's place",
        Data = "eight Gaussians in the plane",
        Metric = new("sliced Wasserstein distance", Direction.Lower),
        Time = TimeClass.XS,
    };

    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("two slopes", trial => Draw(trial, new AdamsBashforth(), rho: 7)),
        Arm.Baseline("euler", trial => Draw(trial, new ProbabilityFlow(1), rho: 7)),
        Arm.Ablation("steps even in σ", trial => Draw(trial, new AdamsBashforth(), rho: 1)),
    ];

    private static Outcome Draw(Trial trial, Sampler sampler, double rho)
    {
        var process = new EdmProcess();
        using var denoiser = Toys.EightGaussiansMixture(process);
        using var real = Toys.EightGaussians(trial.Count(quick: 2000, full: 10_000), seed: 1);
        var grid = TimeGrid.Karras(process, steps: 10, rho);
        using var samples = trial.Draw(denoiser, sampler, grid, real.Count, real.ItemShape);
        trial.Show(Figure.Of("samples", new Chart { Square = true }.Points("", samples)));
        return Score.Of(samples, s => TwoSample.SlicedWasserstein1(s, real.Items), trial.Seed);
    }
}
