using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>NCSN: scores at many noise levels, and Langevin dynamics that goes through them.</summary>
public sealed class Ncsn : DiffusionSystem
{
    private const int Levels = 10;
    private const double SigmaMax = 2, SigmaMin = 0.02, RelativeStep = 0.1;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ncsn",
        Reference = "[10]",
        Title = "noise-conditional score network with annealed Langevin dynamics",
        Paper = "Song and Ermon 2019, equations 5 and 6, algorithm 1, section 3.2.2 and figure 3",
        Domain = "foundations",
        Mechanism = "One network learns the score at σ_1 > … > σ_L, a geometric sequence, by ½ E‖σ s_θ(x + σ ε, σ) + ε‖². Sampling starts anywhere; at each level T steps "
            + "x ← x + α_i/2 s_θ(x, σ_i) + √α_i z with α_i = ϵ σ_i²/σ_L². Langevin steps at one small σ do not pass between modes that lie far apart, so that each keeps the share "
            + "of the starts that fell to it; at large σ the modes are one.",
        Faithful = "levels, loss with λ(σ) = σ², sampler (L = 10, T = 100, ϵ/σ_L² = 0.2), uniform start, the paper's mixture at a fifth of its size",
        StandIn = "a small network, its input and output scaled to unit variance",
        Data = "two Gaussians in the plane of weights 4/5 and 1/5",
        Metric = new("total variation of the mode weights", Direction.Lower),
        Time = TimeClass.S,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("annealed", trial => Run(trial, Grid(0), PerLevel(trial))),
        Arm.Baseline("one σ", trial => Run(trial, Grid(Levels - 1), Levels * PerLevel(trial))),
        Arm.Ablation("annealed from σ_6 on", trial => Run(trial, Grid(5), 2 * PerLevel(trial))),
        Arm.Ablation("T a tenth", trial => Run(trial, Grid(0), Math.Max(1, PerLevel(trial) / 10))),
        Arm.Ablation("exact scores", trial => Run(trial, Grid(0), PerLevel(trial), exact: true), Effect.None),
    ];

    private static DiscreteProcess Process => DiscreteProcess.FromSigmas(Betas.GeometricSigmas(Levels, SigmaMax, SigmaMin));

    private static int PerLevel(Trial trial) => trial.Pick(2, 100, 100);

    // The levels from the one of this index down, and then clean data.
    private static TimeGrid Grid(int first) => new([.. Enumerable.Range(0, Levels - first).Select(i => (double)(Levels - 1 - first - i)), Process.DataTime]);

    private static Outcome Run(Trial trial, TimeGrid grid, int steps, bool exact = false)
    {
        using var truth = Toys.TwoGaussiansMixture(Process);
        using var model = exact ? null : trial.Model(new()
        {
            Name = "ncsn",
            Data = Toys.TwoGaussians(20_000),
            Formulation = new() { Name = "ncsn", Steps = Levels, SigmaMax = SigmaMax, SigmaMin = SigmaMin, Preconditioned = true, SigmaData = 0.8 },
            Network = () => new ResidualMlp(new() { Hidden = 64, Blocks = 2 }),
            Steps = trial.Steps(2000, 4000),
            BatchSize = 512,
        });
        IDenoiser denoiser = model is null ? truth : model.Denoiser;
        var noise = new SeededNoise(trial.Seed);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)trial.Seed);
        var start = (rand([trial.Count(1000, 4000), 2], generator: generator) * 2 - 1) * 1.6;
        // AnnealedLangevin's ε is half the paper's ϵ.
        var sampler = new AnnealedLangevin(RelativeStep * SigmaMin * SigmaMin, steps);
        var x = sampler.Run(denoiser, start, grid, noise: noise, cancellation: trial.Cancellation).to(ScalarType.Float64);
        trial.Show(Figure.Of("samples", new Chart { Square = true }.Points("", x)));
        return new Outcome(Score.Of(x, s => Math.Abs(s.sum(1).gt(0).to(ScalarType.Float64).mean().item<double>() - 0.8), trial.Seed))
            .With("−log p of the samples, nats", -truth.LogProbability(x, Process.DataTime).clamp_min(-100).mean().item<double>())
            .With("evaluations", grid.Steps * steps + 1);
    }
}
