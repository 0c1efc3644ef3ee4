using Langevin.Data.Procedural;
using Langevin.Metrics.Series;
using Langevin.Metrics.Text;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using Langevin.Systems.Shared;
using static TorchSharp.torch;

namespace Langevin.Systems.Baselines;

/// <summary>An LSTM that draws a series value by value, and a text letter by letter.</summary>
public sealed class LstmAr : DiffusionSystem
{
    private const int TextLength = 64;

    /// <inheritdoc/>
    public override SystemCard Card { get; } = new()
    {
        Id = "lstm-ar",
        Reference = "[95], §9.6",
        Title = "autoregressive recurrent network",
        Paper = "Salinas, Flunkert, Gasthaus and Januschowski 2020 (DeepAR), equations 1 and 2; Graves 2013 for text",
        Domain = "baselines",
        Mechanism = "p(x) = Π_t p(x_t | x_1 … x_{t−1}), where an LSTM that has read x_1 … x_{t−1} gives mean and deviation of a Gaussian, or the probabilities of letters. "
            + "It learns by the likelihood and forecasts by drawing one value after the other, each read before the next is drawn.",
        Faithful = "factorisation, likelihood, forecasts by ancestral draws",
        StandIn = "one layer of 64 units, no covariates",
        Data = "generated series with a season and noise that follows it; with data files ETTh1 and Shakespeare, else captions as text",
        Metric = new("CRPS of 24 steps", Direction.Lower),
        Time = TimeClass.S,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<Arm> Arms =>
    [
        Arm.Method("lstm", trial => WithText(trial, Run(trial, set => Recurrent(trial, set)))),
        Arm.Baseline("persistence", trial => Run(trial, set => Linear(trial, set, LinearAutoregression.Repeat(set.Training)))),
        Arm.Baseline("a season ago", trial => Run(trial, set => Linear(trial, set, LinearAutoregression.Repeat(set.Training, set.Season)))),
        Arm.Baseline("linear, 26 lags", trial => Run(trial, set => Linear(trial, set, LinearAutoregression.Fit(set.Training, 26)))),
        Arm.Ablation("linear, 2 lags", trial => Run(trial, set => Linear(trial, set, LinearAutoregression.Fit(set.Training, 2)))),
        Arm.Ablation("8 units", trial => Run(trial, set => Recurrent(trial, set, hidden: 8))),
        Arm.Ablation("constant σ", trial => Run(trial, set => Recurrent(trial, set, constant: true))),
        Arm.Ablation("one draw", trial => Run(trial, set => Recurrent(trial, set).narrow(1, 0, 1))),
    ];

    // Forecasts [M, S, steps, D] of the test windows, judged on both sets.
    private static Outcome Run(Trial trial, Func<SeriesSet, Tensor> forecast)
    {
        Outcome? outcome = null;
        // The real series take as long again: a quick look leaves them out.
        foreach (var set in new[] { SeriesSet.Generated(trial), trial.Scale == Scale.Quick ? null : SeriesSet.Transformer(trial) }.OfType<SeriesSet>())
        {
            using var scope = NewDisposeScope();
            var drawn = forecast(set);
            var truth = set.Test.narrow(1, set.Context, set.Test.size(1) - set.Context);
            var score = Crps.Ensemble(drawn, truth).mean([1, 2]);
            outcome = outcome is null ? Score.Of(score) : outcome.With($"CRPS on {set.Name}", score.mean().item<double>());
            var first = drawn.select(0, 0).select(2, 0).to(ScalarType.Float64);
            trial.Show(Figure.Of($"{set.Name}: the first forecast, nine draws in ten within the band", new Chart("step")
                .Band("draws", first.quantile(0.05, 0), first.quantile(0.95, 0)).Line("truth", truth.select(0, 0).select(1, 0))));
        }
        return outcome!;
    }

    private static Tensor Recurrent(Trial trial, SeriesSet set, int hidden = 64, bool constant = false)
    {
        int channels = (int)set.Training.size(2);
        using var network = trial.Fit("lstm-ar", $"{set.Name}|{constant}", trial.Seeded(() => new GaussianLstm(channels, hidden, constantDeviation: constant)),
            new(trial.Steps(250, 800)) { LearningRate = 1e-2 },
            (n, _) => -n.LogProbability(set.Training.index_select(0, randint(set.Training.size(0), [32L], ScalarType.Int64))).mean());
        using var generator = new Generator((ulong)trial.Seed);
        return Many(trial, set, beginning => network.Continue(beginning, (int)set.Test.size(1) - set.Context, generator));
    }

    private static Tensor Linear(Trial trial, SeriesSet set, LinearAutoregression model)
    {
        using (model) return Many(trial, set, beginning => model.Continue(beginning, (int)set.Test.size(1) - set.Context, trial.Seed));
    }

    // Every test window's beginning repeated, so that each row is a draw of its own.
    private static Tensor Many(Trial trial, SeriesSet set, Func<Tensor, Tensor> draw)
    {
        int samples = trial.Pick(4, 100, 200);
        return draw(set.Test.narrow(1, 0, set.Context).repeat_interleave(samples, 0)).unflatten(0, set.Test.size(0), samples);
    }

    // The categorical form: bits per letter of held-out text, beside those of a model of five letters.
    private static Outcome WithText(Trial trial, Outcome outcome)
    {
        using var scope = NewDisposeScope();
        string text = trial.RealData("text/tinyshakespeare.txt") is { } path ? File.ReadAllText(path) : Captions(trial.Pick(50, 2000, 4000));
        text = text[..Math.Min(text.Length, trial.Pick(2000, 200_000, 1_000_000))];
        char[] letters = [.. text.Distinct().Order()];
        var number = letters.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => (long)p.i);
        var all = tensor(text.Select(c => number[c]).ToArray());
        long cut = all.numel() * 9 / 10;
        var test = all.narrow(0, cut, Math.Min(all.numel() - cut, trial.Pick(200, 10_000, 50_000)) / TextLength * TextLength).view(-1, TextLength);
        using var network = trial.Fit("lstm-text", $"{letters.Length}|{all.numel()}", trial.Seeded(() => new CategoricalLstm(letters.Length)), new(trial.Steps(200, 800)) { LearningRate = 1e-2 }, (n, _) =>
        {
            var starts = randint(cut - TextLength, [32L, 1L], ScalarType.Int64);
            return -n.LogProbability(all.index_select(0, (starts + arange(TextLength, ScalarType.Int64)).flatten()).view(32, TextLength)).mean();
        });
        using var still = no_grad();
        double bits = -network.LogProbability(test).mean().item<float>() / Math.Log(2);
        var grams = NgramModel.Fit([text[..(int)cut].ToCharArray()], new NgramOptions { Order = 5 });
        double gramBits = -grams.LogProbability(text.Substring((int)cut, (int)test.numel()).ToCharArray()) / test.numel() / Math.Log(2);
        return outcome.With("bits per letter of text", bits).With("bits per letter, Kneser and Ney's five letters", gramBits);
    }

    private static string Captions(int count)
    {
        using var shapes = Shapes.Create(count);
        return string.Join('\n', Enumerable.Range(0, count).Select(i => shapes.SceneAt(i).Caption));
    }
}
