using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>What the predictor behind <see cref="PredictiveScore"/> predicts.</summary>
public enum PredictionTarget
{
    /// <summary>The last channel's next value from the other channels, through a sigmoid: what the authors' code does.</summary>
    LastChannel,

    /// <summary>All channels' next values from all channels, by a linear map: what the paper says.</summary>
    AllChannels,
}

/// <summary>Error on real sequences of a predictor trained on synthetic ones.</summary>
/// <param name="Score">Mean absolute error of the next step, in units of the real set's range by channel: 0.1 is a tenth of the range.</param>
/// <param name="Interval">Bootstrap interval over the real sequences, the trained predictor taken as given.</param>
public sealed record PredictiveScoreResult(double Score, Interval Interval);

/// <summary>
/// The predictive score of generated time series (Yoon et al. 2019, TimeGAN, section 5; train on synthetic, test on real): a
/// GRU learns on synthetic sequences to predict the next step, and its mean absolute error on real ones is the score.
/// </summary>
/// <remarks>
/// The paper predicts the whole next vector, its code the last channel from the others, and published tables are those of the
/// code. What to hold a score against is the score of real training data on the same real test data.
/// </remarks>
public static class PredictiveScore
{
    private const long ReadBatch = 512;

    /// <summary>Trains on synthetic, tests on real sequences.</summary>
    /// <param name="real">[N, T, D], N ≥ 10, T ≥ 2; all are tested on.</param>
    /// <param name="synthetic">[M, T, D].</param>
    /// <param name="target">What is predicted; <see cref="PredictionTarget.LastChannel"/> needs D ≥ 2.</param>
    /// <param name="options">Training; the published numbers where null.</param>
    /// <param name="progress">Told every 50 steps.</param>
    /// <param name="cancel">Ends it between steps.</param>
    public static PredictiveScoreResult Between(
        Tensor real, Tensor synthetic, PredictionTarget target = PredictionTarget.LastChannel, SequenceScoreOptions? options = null,
        IProgress<JudgeProgress>? progress = null, CancellationToken cancel = default)
    {
        options ??= new();
        options.Validate();
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)options.Seed);
        var (x, y) = SequenceTraining.Scaled(real, synthetic);
        bool last = target == PredictionTarget.LastChannel;
        long channels = x.size(2);
        if (last && channels < 2)
            throw new ArgumentException($"one channel has no other to be predicted from: ask for {nameof(PredictionTarget)}.{nameof(PredictionTarget.AllChannels)}", nameof(target));
        using var network = new SequenceNetwork(last ? channels - 1 : channels, options.HiddenFor(channels), last ? 1 : channels).Seeded(random);
        network.to(x.device);
        SequenceTraining.Fit(
            network, () => Error(SequenceTraining.Batch(y, options.BatchSize, random)).mean(),
            options.Steps ?? 5000, options.LearningRate, "training the predictor", progress, cancel);
        using var gradients = no_grad();
        var errors = cat([.. x.split(ReadBatch).Select(part => Error(part).to(float64).mean([1, 2]))]);
        return new(errors.mean().item<double>(), Bootstrap.Interval(errors.size(0), i => errors[i.to(errors.device)].mean().item<double>(), level: options.Level, seed: options.Seed));

        // |prediction − next step|, [N, T − 1, channels predicted].
        Tensor Error(Tensor set)
        {
            long steps = set.size(1) - 1;
            var (given, next) = (set.narrow(1, 0, steps), set.narrow(1, 1, steps));
            return last
                ? (network.call(given.narrow(2, 0, channels - 1)).sigmoid() - next.narrow(2, channels - 1, 1)).abs()
                : (network.call(given) - next).abs();
        }
    }
}
