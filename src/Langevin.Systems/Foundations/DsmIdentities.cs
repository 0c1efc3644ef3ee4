using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Metrics.Distributions;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>Denoising score matching and the reversed SDE, against a score that is known.</summary>
public sealed class DsmIdentities : DiffusionSystem
{
    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "dsm-identities",
        Reference = "[11], [12]",
        Title = "denoising score matching and the reversed SDE",
        Paper = "Vincent 2011, equations 9 to 11; Anderson 1982",
        Domain = "foundations",
        Mechanism = "Of all functions, ∇log p_t minimises E‖σ s(x_t) + ε‖², x_t = α x_0 + σ ε: the target (the score of q(x_t | x_0), −ε/σ) and the score at x_t differ by what has mean 0 given x_t. "
            + "Samples then follow dx = (f x − g² s) dt + g dw backwards. The survey prints the loss with the other sign.",
        Faithful = "both identities, word for word",
        StandIn = "nothing: the density is known",
        Data = "eight Gaussians in the plane, of which score and density are closed forms",
        Metric = new("sliced Wasserstein distance", Direction.Lower),
        Time = TimeClass.XS,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("denoising score matching", trial => Run(trial, "dsm")),
        Arm.Baseline("Gaussian fit", Gaussian),
        Arm.Ablation("explicit score matching", trial => Run(trial, "esm"), Effect.None),
        Arm.Ablation("the survey's sign", trial => Run(trial, "sign")),
        Arm.Ablation("no score in the drift", trial => Run(trial, "drift")),
    ];

    private static Outcome Run(Trial trial, string way)
    {
        var process = VariancePreserving.Linear();
        using var truth = Toys.EightGaussiansMixture(process);
        using var network = trial.Seeded(() => new ResidualMlp(new()));
        var learnt = new NetworkDenoiser(network, process, new PlainPreconditioning(PredictionKind.Epsilon, 999));
        using var data = Toys.EightGaussians(20_000);
        trial.Fit(way == "drift" ? "dsm-dsm" : $"dsm-{way}", "eight gaussians", network, new(trial.Steps(800, 2000)) { LearningRate = 2e-3 }, (_, _) => Loss(data.Items, learnt, truth, way));
        IDenoiser denoiser = way == "drift" ? new NoScore(learnt) : learnt;
        var samples = trial.Draw(denoiser, new EulerMaruyama(), TimeGrid.Uniform(process, trial.Pick(5, 100, 200)), trial.Count(2000, 4000), [2]);
        using (no_grad()) return Judged(trial, samples).With("score error, relative", ScoreError(learnt, truth, data.Items));
    }

    // ‖σ s + ε‖² with s = −ε_θ/σ; explicitly ‖σ s − σ ∇log p_t(x_t)‖²; or as the survey prints it.
    private static Tensor Loss(Tensor data, IDenoiser learnt, GaussianMixture truth, string way)
    {
        const int batch = 512;
        var x0 = data.index_select(0, randint(data.size(0), [batch], int64));
        var t = Times.Each([.. rand(batch, float64).mul(1 - 1e-3).add(1e-3).data<double>()]);
        var noise = randn_like(x0);
        var x = truth.Process.Corrupt(x0, t, noise);
        var said = learnt.Denoise(x, t, Condition.None).Epsilon;
        var target = way switch { "esm" => truth.Denoise(x.to(float64), t, Condition.None).Epsilon.to(float32), "sign" => -noise, _ => noise };
        return (said - target).square().mean();
    }

    private static double ScoreError(IDenoiser learnt, GaussianMixture truth, Tensor data)
    {
        using var scope = NewDisposeScope();
        double error = 0, size = 0;
        using var generator = new Generator(5);
        foreach (double t in new[] { 0.05, 0.1, 0.2, 0.4, 0.7 })
        {
            var x = truth.Process.Corrupt(data.narrow(0, 0, 2000), t, randn([2000, 2], generator: generator));
            var exact = truth.Denoise(x.to(float64), t, Condition.None).Epsilon;
            error += (learnt.Denoise(x, t, Condition.None).Epsilon - exact).square().mean().item<double>();
            size += exact.square().mean().item<double>();
        }
        return Math.Sqrt(error / size);
    }

    private static Outcome Gaussian(Trial trial) => Judged(trial, Shared.GaussianFit.Sample(Toys.EightGaussians(20_000).Items, trial.Count(2000, 4000), 2, trial.Seed));

    private static Outcome Judged(Trial trial, Tensor samples)
    {
        trial.Show(Figure.Of("samples", new Chart { Square = true }.Points("", samples)));
        using var exact = Toys.EightGaussians(trial.Count(2000, 4000), seed: 99);
        // What has run off counts by how far, up to a hundred times the data's scale.
        var kept = samples.nan_to_num(100, 100, -100).clamp(-100, 100);
        return new(Score.Of(kept.to(float64), s => TwoSample.SlicedWasserstein1(s, exact.Items.to(float64), 64, 1), trial.Seed, trial.Pick(10, 50, 100)));
    }

    /// <summary>A reversed SDE whose drift lacks the score: f x alone.</summary>
    private sealed record NoScore(IDenoiser Inner) : DenoiserDecorator(Inner)
    {
        public override Prediction Denoise(Tensor x, Times t, Condition condition)
        {
            var said = Inner.Denoise(x, t, condition);
            return said.With(PredictionKind.Score, zeros_like(x));
        }
    }
}
