using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>Error on real sequences of a predictor trained on synthetic ones.</summary>
/// <param name="Score">Mean absolute error of the next step, in units of the real set's range by channel: 0.1 is a tenth of the range.</param>
/// <param name="Interval">Bootstrap interval over the real sequences, the trained predictor taken as given.</param>
public sealed record PredictiveScoreResult(double Score, Interval Interval);

/// <summary>
/// The predictive score of generated time series (Yoon et al. 2019, TimeGAN, section 5; train on synthetic, test on real): a
/// GRU learns on synthetic sequences to predict the next step, and its mean absolute error on real ones is the score.
/// </summary>
/// <remarks>
/// All channels are predicted from all channels by a linear output. The authors' code predicts the last channel from the others
/// through a sigmoid: its figures are not these. What to hold a score against is the score of real training data on the same
/// real test data.
/// </remarks>
public static class PredictiveScore
{
    private const long ReadBatch = 512;

    /// <summary>Trains on synthetic, tests on real sequences.</summary>
    /// <param name="real">[N, T, D], N ≥ 10, T ≥ 2; all are tested on.</param>
    /// <param name="synthetic">[M, T, D].</param>
    /// <param name="options">Training; the published numbers where null.</param>
    /// <param name="progress">Told every 50 steps.</param>
    /// <param name="cancel">Ends it between steps.</param>
    public static PredictiveScoreResult Between(
        Tensor real, Tensor synthetic, SequenceScoreOptions? options = null, IProgress<JudgeProgress>? progress = null, CancellationToken cancel = default)
    {
        options ??= new();
        options.Validate();
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)options.Seed);
        var (x, y) = SequenceTraining.Scaled(real, synthetic);
        using var network = new SequenceNetwork(x.size(2), options.HiddenFor(x.size(2)), x.size(2)).Seeded(random);
        network.to(x.device);
        SequenceTraining.Fit(
            network, () => Error(network, SequenceTraining.Batch(y, options.BatchSize, random)).mean(),
            options.Steps ?? 5000, options.LearningRate, "training the predictor", progress, cancel);
        using var gradients = no_grad();
        var errors = cat([.. x.split(ReadBatch).Select(part => Error(network, part).to(float64).mean([1, 2]))]);
        return new(errors.mean().item<double>(), Bootstrap.Interval(errors.size(0), i => errors[i.to(errors.device)].mean().item<double>(), level: options.Level, seed: options.Seed));
    }

    /// <summary>|prediction − next step|, [N, T − 1, D].</summary>
    private static Tensor Error(SequenceNetwork network, Tensor x)
    {
        long steps = x.size(1) - 1;
        return (network.call(x.narrow(1, 0, steps)) - x.narrow(1, 1, steps)).abs();
    }
}
