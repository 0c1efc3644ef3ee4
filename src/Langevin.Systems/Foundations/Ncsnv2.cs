using Langevin.Denoisers;
using Langevin.Metrics.Distributions;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>NCSNv2: noise levels and steps that follow from the data.</summary>
public sealed class Ncsnv2 : DiffusionSystem
{
    private const int Dimensions = 32, Steps = 10;
    private const double SigmaMin = 0.02;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "ncsnv2",
        Reference = "[19]",
        Title = "improved techniques for score-based models",
        Paper = "Song and Ermon 2020, techniques 1 to 5, propositions 2 and 3, algorithm 1",
        Domain = "foundations",
        Mechanism = "(1) σ_1 is the largest distance of two samples. (2) σ_{i−1}/σ_i = γ with Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ) = ½. (3) s_θ(x, σ) = s_θ(x)/σ. "
            + "(4) Given T, ϵ brings s_T²/σ_i² = (1 − ϵ/σ_L²)^{2T} (γ² − c) + c, c = 2ϵ/(σ_L² − σ_L² (1 − ϵ/σ_L²)²), nearest to 1. (5) The weights are averaged. The last step denoises, x + σ_L² s.",
        Faithful = "the five techniques, the sampler, the last denoising; NCSN's levels (1 to σ_L), steps (ϵ/σ_L² = 0.1) and network that is told σ as the baseline, at the same evaluations",
        StandIn = "a residual network on vectors in place of a RefineNet on pictures",
        Data = "four Gaussians in 32 dimensions of weights 0.4, 0.3, 0.2 and 0.1",
        Metric = new("sliced Wasserstein distance", Direction.Lower),
        Time = TimeClass.S,
        Remark = "The third technique spares NCSN a table of scales for each level; this network reads ln σ by features, and knowing it is better than not (told σ). "
            + "The learning rate falls to zero, so that the last weights hardly differ from their average. σ_L is a tenth of a mode's width: whether that noise is taken off does not show in this distance.",
    };

    private sealed record Techniques
    {
        public bool LargestDistance { get; init; } = true;
        public bool Ratio { get; init; } = true;
        public bool Unconditional { get; init; } = true;
        public bool BestStep { get; init; } = true;
        public bool Averaged { get; init; } = true;
        public bool Denoised { get; init; } = true;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("ncsnv2", trial => Run(trial, new())),
        Arm.Baseline("ncsn", trial => Run(trial, new() { LargestDistance = false, Ratio = false, Unconditional = false, BestStep = false, Averaged = false, Denoised = false })),
        Arm.Ablation("σ_1 = 1", trial => Run(trial, new() { LargestDistance = false })),
        Arm.Ablation("γ = 4", trial => Run(trial, new() { Ratio = false })),
        Arm.Ablation("told σ", trial => Run(trial, new() { Unconditional = false })),
        Arm.Ablation("ϵ a tenth", trial => Run(trial, new() { BestStep = false })),
        Arm.Ablation("last weights", trial => Run(trial, new() { Averaged = false })),
        Arm.Ablation("no last denoising", trial => Run(trial, new() { Denoised = false })),
    ];

    private static Outcome Run(Trial trial, Techniques use)
    {
        using var scope = NewDisposeScope();
        using var clean = Truth(new VarianceExploding());
        using var draws = new Generator(1);
        var data = clean.Draw(4000, draws).to(ScalarType.Float32);
        var full = LangevinDesign.For(data, SigmaMin, Steps);
        var design = Design(use, full);
        var process = DiscreteProcess.FromSigmas(design.Sigmas);
        using var network = trial.Seeded(() => new ResidualMlp(new() { Dimensions = Dimensions }));
        var learnt = new NetworkDenoiser(network, process, new VePreconditioning(Told: !use.Unconditional));
        string key = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{design.Sigmas[0]:r}|{design.Sigmas.Count}|{use.Unconditional}");
        trial.Fit("ncsnv2", key, network, new(trial.Steps(1500, 3000)) { LearningRate = 4e-3, EmaDecay = use.Averaged ? 0.999 : 0 }, (_, _) => Loss(learnt, data, design.Sigmas.Count));
        var noise = new SeededNoise(trial.Seed);
        var grid = TimeGrid.Uniform(process, design.Sigmas.Count, toData: true);
        var start = Sampler.Prior(process, [trial.Count(1000, 4000), Dimensions], noise);
        var x = (design.Sampler with { Denoise = use.Denoised }).Run(learnt, start, grid, noise: noise, cancellation: trial.Cancellation).to(ScalarType.Float64);
        trial.Show(Figure.Of("samples, two of their coordinates", new Chart { Square = true }.Points("data", data.narrow(1, 0, 2).narrow(0, 0, 500)).Points("samples", x.narrow(1, 0, 2).narrow(0, 0, Math.Min(500, x.size(0))))));
        var real = clean.Draw(x.size(0), draws);
        return new Outcome(Score.Of(x.nan_to_num(100, 100, -100).clamp(-100, 100), s => TwoSample.SlicedWasserstein1(s, real, 64, 1), trial.Seed, trial.Pick(10, 50, 100)))
            .With("total variation of the mode weights", ModeError(x, clean))
            .With("σ_1", design.Sigmas[0]).With("L", design.Sigmas.Count).With("T", design.Steps).With("ϵ", design.Epsilon).With("evaluations", design.Evaluations);
    }

    // With techniques off, T is what keeps the number of evaluations.
    private static LangevinDesign Design(Techniques use, LangevinDesign full)
    {
        double ratio = use.Ratio ? LangevinDesign.Ratio(Dimensions) : use.LargestDistance ? 4 : Math.Pow(1 / SigmaMin, 1.0 / 9); // NCSN has ten levels
        var sigmas = LangevinDesign.Between(use.LargestDistance ? full.Sigmas[0] : 1, SigmaMin, ratio, 1).Sigmas;
        var design = LangevinDesign.Between(sigmas[0], SigmaMin, ratio, Math.Max(1, (int)Math.Round((double)full.Evaluations / sigmas.Count)));
        return use.BestStep ? design : design with { Epsilon = use.LargestDistance ? design.Epsilon / 10 : 0.1 * SigmaMin * SigmaMin };
    }

    // ½ E‖σ s_θ(x + σ ε) + ε‖², a level for each sample.
    private static Tensor Loss(IDenoiser learnt, Tensor data, int levels)
    {
        const int batch = 256;
        var x0 = data.index_select(0, randint(data.size(0), [batch], int64));
        var t = Times.Each([.. randint(levels, [batch], int64).data<long>().Select(n => (double)n)]);
        var noise = randn_like(x0);
        return 0.5 * (learnt.Denoise(learnt.Process.Corrupt(x0, t, noise), t, Condition.None).Epsilon - noise).square().mean();
    }

    private static double ModeError(Tensor x, GaussianMixture truth)
    {
        var weights = truth.Weights;
        var seen = nn.functional.one_hot(cdist(x, truth.Means).argmin(1), weights.size(0)).to(ScalarType.Float64).mean([0L]);
        return 0.5 * (seen - weights).abs().sum().item<double>();
    }

    private static GaussianMixture Truth(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        return new(process, tensor([0.4, 0.3, 0.2, 0.1]), randn([4, Dimensions], ScalarType.Float64, generator: generator), full([4], 0.2, ScalarType.Float64));
    }
}
