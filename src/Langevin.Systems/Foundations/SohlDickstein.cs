using Langevin.Discrete;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Foundations;

/// <summary>The first diffusion model, on binary sequences.</summary>
public sealed class SohlDickstein : DiffusionSystem
{
    private const int Length = 20, Period = 5, Batch = 128;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "sohl-dickstein",
        Reference = "[1]",
        Title = "diffusion of binary sequences, trained by the variational bound",
        Paper = "Sohl-Dickstein et al. 2015, sections 2.1 to 2.5, appendix B and section 3.1.2 (heartbeat)",
        Domain = "foundations",
        Mechanism = "A bit is drawn anew with probability β_t, q(x_t | x_{t−1}) = B(x_{t−1}(1 − β_t) + β_t/2), with β_t = 1/(T − t + 1), which leaves nothing of the data at T. "
            + "The reverse steps, whose form q(x_{t−1} | x_t, x_0) is known, are learnt by the bound K on the log-likelihood. Multiplying each with a perturbation r(x) gives samples of "
            + "the posterior p(x) r(x): bits that were seen stay.",
        Faithful = "the binomial chain and its β, the bound, conditioning by r(x), the heartbeat data (a 1 every 5 steps, random phase, length 20); the Gaussian chain is row ddpm's",
        StandIn = "a residual perceptron of three blocks in place of one with a hidden layer; it gives the bits' probabilities, which stand for all steps' rates",
        Data = "heartbeats: five equally likely sequences, log₂ 5 = 2.32 bits",
        Metric = new("bound on −log₂ p of a sequence", Direction.Lower, "bits"),
        Time = TimeClass.XS,
        Remark = "Trained by the cross-entropy, which weighs the steps otherwise, the bound comes out 0.005 bits nearer to the entropy of the data than trained by the bound itself; both are within 0.04 bits of it.",
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("bound", trial => Run(trial, "bound", CategoricalProcess.Reciprocal(Steps(trial)), new(1, 0))),
        Arm.Baseline("independent bits", Independent),
        Arm.Ablation("cross-entropy alone", trial => Run(trial, "cross-entropy", CategoricalProcess.Reciprocal(Steps(trial)), new(0, 1))),
        Arm.Ablation("equal β", trial => Run(trial, "equal", [.. Enumerable.Repeat(2.0 / Steps(trial), Steps(trial))], new(1, 0))),
    ];

    private static int Steps(Trial trial) => trial.Pick(5, 50, 100);

    // Every sequence once: the expectation over the data is a mean over them.
    private static Tensor Sequences() => arange(Period).view(-1, 1).eq(arange(Length).view(1, -1).remainder(Period)).to(ScalarType.Int64);

    private static Outcome Independent(Trial trial)
    {
        var x = Sequences();
        var share = x.to(ScalarType.Float64).mean([0L]);
        var bits = -where(x.eq(1), share, 1 - share).log2();
        return Score.Of(bits.sum([1L]));
    }

    private static Outcome Run(Trial trial, string name, double[] betas, CategoricalObjective objective)
    {
        using var process = CategoricalProcess.Uniform(betas, 2);
        var sequences = Sequences();
        using var network = trial.Fit($"heartbeat-{name}", $"{Steps(trial)}", trial.Seeded(() => new Perceptron()),
            new(trial.Steps(1500, 4000)) { LearningRate = 2e-3 }, (network, step) => objective.Loss(new CategoricalDenoiser(network, process),
                sequences.index_select(0, randint(0, Period, [Batch], ScalarType.Int64)), Condition.None, randint(0, process.Steps, [Batch], ScalarType.Int64), new SeededNoise(trial.Seed, Batch * step)).mean());
        var denoiser = new CategoricalDenoiser(network, process);
        var noise = new SeededNoise(trial.Seed);
        int count = trial.Count(200, 1000);
        var bits = CategoricalObjective.Bits(denoiser, sequences.repeat((count + Period - 1) / Period, 1), Condition.None, noise, trial.Cancellation);

        var grid = CategoricalSampler.Grid(process.Steps, process.Steps);
        var samples = new CategoricalSampler().Run(denoiser, process.DrawPrior([count, Length], noise), grid, noise, cancellation: trial.Cancellation);
        // r: the first beat was seen at the third place.
        var seen = ones(1, Length, 2);
        seen[0, TensorIndex.Slice(stop: Period)] = process.OneHot(sequences[2, TensorIndex.Slice(stop: Period)]);
        var completed = new CategoricalSampler().Run(denoiser, process.DrawPrior([count, Length], noise), grid, noise, likelihood: seen, cancellation: trial.Cancellation);
        trial.Show(Figure.Images("samples, one a row", samples.narrow(0, 0, Math.Min(20, count)).to(ScalarType.Float32).view(1, 1, -1, Length) * 2 - 1));
        return new Outcome(Score.Of(bits))
            .With("sequences that occur", Share(samples, sequences))
            .With("completed as the one sequence that fits", completed.eq(sequences[2]).all(1).to(ScalarType.Float64).mean().item<double>())
            .With("entropy of the data, bits", Math.Log2(Period));
    }

    /// <summary>A perceptron over all bits at once.</summary>
    private sealed class Perceptron : Network
    {
        private readonly ResidualMlp inner = new(new() { Dimensions = 2 * Length });

        public Perceptron() : base(nameof(Perceptron)) => RegisterComponents();

        public override Tensor forward(Tensor x, Tensor noise, Condition condition) => WrappedTensorDisposeScope(() => inner.call(x.flatten(1), noise, condition).view_as(x));
    }

    private static double Share(Tensor samples, Tensor sequences) =>
        samples.unsqueeze(1).eq(sequences.unsqueeze(0)).all(2).any(1).to(ScalarType.Float64).mean().item<double>();
}
