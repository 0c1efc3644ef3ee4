using Langevin.Data.Procedural;
using Langevin.Discrete;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Text;

/// <summary>D3PM: diffusion of characters.</summary>
public sealed class D3pm : DiffusionSystem
{
    private const int Length = 32, Characters = 27, Mask = Characters;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "d3pm",
        Reference = "[6]",
        Title = "structured diffusion of text, absorbing and uniform",
        Paper = "Austin et al. 2021, equations 1 to 5, section 4 and appendix A",
        Domain = "text",
        Mechanism = "q(x_t | x_{t−1}) = Cat(x_{t−1} Q_t): a character becomes a mask and stays so (absorbing), or is drawn anew (uniform), with β_t = 1/(T − t + 1). The network gives p(x_0 | x_t), "
            + "and the reverse step is Σ_x̂ q(x_{t−1} | x_t, x̂) p(x̂ | x_t); the loss is the bound and λ times the cross-entropy of x_0. All characters of a step are drawn at once.",
        Faithful = "the chains, the schedule, the x_0 parametrisation, L_vb + λ L_ce with λ = 0.01",
        StandIn = "a transformer of three blocks, stretches of 32 characters, 50 steps; text of a grammar (and tinyshakespeare in 27 characters where the data folder has it)",
        Data = "sentences of a small grammar in a to z and the space, held-out sentences to judge",
        Metric = new("bound on bits a character", Direction.Lower, "bits"),
        Time = TimeClass.M,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("absorbing", trial => Run(trial, absorbing: true, lambda: 0.01, real: true)),
        Arm.Baseline("bigram", Bigram),
        Arm.Ablation("uniform", trial => Run(trial, absorbing: false, lambda: 0.01)),
        Arm.Ablation("λ = 0", trial => Run(trial, absorbing: true, lambda: 0)),
        Arm.Ablation("left to right, same network", Autoregressive, Effect.Better),
    ];

    private static int Steps(Trial trial) => trial.Pick(4, 50, 50);

    private static (Tensor Train, Tensor Test) Data(Trial trial, bool real = false)
    {
        int test = trial.Count(64, 256);
        if (real)
        {
            var all = Corpus.Stretches(Corpus.Simplify(File.ReadAllText(trial.RealData("text/tinyshakespeare.txt")!)), Length);
            return (all.narrow(0, 0, all.size(0) * 9 / 10), all.narrow(0, all.size(0) - test, test));
        }
        return (Corpus.Stretches(Corpus.Text(trial.Pick(2_000, 400_000, 1_000_000)), Length), Corpus.Stretches(Corpus.Text(test * Length, first: 1_000_000), Length));
    }

    private static TokenTransformer Network(Trial trial, bool causal = false) =>
        trial.Seeded(() => new TokenTransformer(new() { Channels = Characters + 1, Length = Length, Width = trial.Pick(16, 96, 96), Blocks = 3, Causal = causal }));

    private static FitPlan Plan(Trial trial) => new(trial.Steps(200, 800)) { LearningRate = 3e-3 };

    private static Tensor Batch(Tensor data) => data.index_select(0, randint(0, data.size(0), [64], ScalarType.Int64));

    private static Outcome Run(Trial trial, bool absorbing, double lambda, bool real = false)
    {
        var (outcome, denoiser) = Judge(trial, absorbing, lambda, real: false);
        using var process = denoiser.Process;
        var noise = new SeededNoise(trial.Seed);
        foreach (int steps in new[] { 8, Steps(trial) }.Where(s => s <= Steps(trial)))
        {
            var x = new CategoricalSampler().Run(denoiser, process.DrawPrior([trial.Count(64, 256), Length], noise), CategoricalSampler.Grid(process.Steps, steps), noise, cancellation: trial.Cancellation);
            string[] texts = [.. x.unbind(0).Select(Corpus.Decode)];
            trial.Show(Figure.Text($"samples, {steps} steps", texts.Take(8)));
            outcome = outcome.With($"words that exist, {steps} steps", ValidWords(texts));
        }
        if (!real || trial.RealData("text/tinyshakespeare.txt") is null || trial.Scale == Scale.Smallest) return outcome;
        var (shakespeare, other) = Judge(trial, absorbing, lambda, real: true);
        other.Process.Dispose();
        return outcome.With("bits a character of tinyshakespeare", shakespeare.Score.Value);
    }

    private static (Outcome Outcome, CategoricalDenoiser Denoiser) Judge(Trial trial, bool absorbing, double lambda, bool real)
    {
        double[] betas = CategoricalProcess.Reciprocal(Steps(trial));
        var process = absorbing ? CategoricalProcess.Absorbing(betas, Characters + 1) : CategoricalProcess.Uniform(betas, Characters + 1);
        var (train, test) = Data(trial, real);
        var objective = new CategoricalObjective(1, lambda);
        CategoricalDenoiser Over(TokenTransformer network) => new(network, process, neverClean: Mask);
        var network = trial.Fit(real ? "d3pm-real" : "d3pm", $"{absorbing}|{lambda}|{Steps(trial)}", Network(trial), Plan(trial), (network, step) =>
            objective.Loss(Over(network), Batch(train), Condition.None, randint(0, process.Steps, [64], ScalarType.Int64), new SeededNoise(trial.Seed, 64 * step)).mean());
        var bits = CategoricalObjective.Bits(Over(network), test, Condition.None, new SeededNoise(trial.Seed), trial.Cancellation);
        return (Score.Of(bits / Length), Over(network));
    }

    // Words between spaces, without the first and the last, which the stretch may have cut.
    private static double ValidWords(IEnumerable<string> texts)
    {
        string[] words = [.. texts.SelectMany(t => t.Split(' ').Skip(1).SkipLast(1))];
        return words.Length == 0 ? 0 : words.Average(w => Corpus.Words.Contains(w) ? 1.0 : 0);
    }

    private static Outcome Bigram(Trial trial)
    {
        var (train, test) = Data(trial);
        var pairs = (train.narrow(1, 0, Length - 1) * Characters + train.narrow(1, 1, Length - 1)).flatten();
        var counts = pairs.bincount(null, Characters * Characters).view(Characters, Characters).to(ScalarType.Float64) + 0.1;
        var next = (counts / counts.sum([1L], keepdim: true)).log2();
        var single = (counts.sum([1L]) / counts.sum()).log2();
        var bits = -(single.index_select(0, test.select(1, 0)) + next.flatten().index_select(0, (test.narrow(1, 0, Length - 1) * Characters + test.narrow(1, 1, Length - 1)).flatten()).view(test.size(0), -1).sum([1L]));
        return Score.Of(bits / Length);
    }

    // The same network, each character from those before it, the first from a mask.
    private static Outcome Autoregressive(Trial trial)
    {
        var (train, test) = Data(trial);
        var network = trial.Fit("left-to-right", "", Network(trial, causal: true), Plan(trial), (network, _) => Surprise(network, Batch(train)).mean());
        using var _ = no_grad();
        return Score.Of(Surprise(network, test).mean([1L]) / Math.Log(2));

        static Tensor Surprise(TokenTransformer network, Tensor x)
        {
            var before = cat([full([x.size(0), 1], Mask, ScalarType.Int64), x.narrow(1, 0, Length - 1)], 1);
            var logits = network.call(nn.functional.one_hot(before, Characters + 1).to(ScalarType.Float32).transpose(1, 2).contiguous(), zeros(x.size(0)), Condition.None);
            return -logits.log_softmax(1).gather(1, x.unsqueeze(1)).squeeze(1);
        }
    }
}
