using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>How well a classifier told real from synthetic sequences.</summary>
/// <param name="Score">|accuracy − ½|: 0 where the sets cannot be told apart, ½ where they always are.</param>
/// <param name="Accuracy">Share of the held-out sequences put into the right set.</param>
/// <param name="Interval">Wilson interval of the accuracy. Where it holds ½, the score is not distinguishable from 0.</param>
/// <param name="HeldOut">Sequences judged, half of them real.</param>
public sealed record DiscriminativeScoreResult(double Score, double Accuracy, Interval Interval, long HeldOut);

/// <summary>
/// The discriminative score of generated time series (Yoon et al. 2019, TimeGAN, section 5): a GRU is trained to tell real from
/// synthetic sequences and judged on sequences held out.
/// </summary>
/// <remarks>
/// A small score says that this classifier, with these options, found no difference. Of n held-out sequences a perfect generator
/// gets about 0.4/√n, not 0.
/// </remarks>
public static class DiscriminativeScore
{
    /// <summary>Trains and judges. Where the sets differ in size, a random part of the larger is used.</summary>
    /// <param name="real">[N, T, D], N ≥ 10, T ≥ 2.</param>
    /// <param name="synthetic">[M, T, D].</param>
    /// <param name="options">Training; the published numbers where null.</param>
    /// <param name="progress">Told every 50 steps.</param>
    /// <param name="cancel">Ends it between steps.</param>
    public static DiscriminativeScoreResult Between(
        Tensor real, Tensor synthetic, SequenceScoreOptions? options = null, IProgress<JudgeProgress>? progress = null, CancellationToken cancel = default)
    {
        options ??= new();
        options.Validate();
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)options.Seed);
        var (x, y) = SequenceTraining.Scaled(real, synthetic);
        long count = Math.Min(x.size(0), y.size(0)), held = Math.Clamp((long)Math.Round(count * options.HeldOut), 1, count - 1);
        (Tensor train, Tensor test) Split(Tensor set)
        {
            var order = randperm(set.size(0), generator: random).to(set.device);
            return (set.index_select(0, order.narrow(0, held, count - held)), set.index_select(0, order.narrow(0, 0, held)));
        }
        var ((xTrain, xTest), (yTrain, yTest)) = (Split(x), Split(y));
        using var network = new SequenceNetwork(x.size(2), options.HiddenFor(x.size(2)), 1).Seeded(random);
        network.to(x.device);
        SequenceTraining.Fit(network, Loss, options.Steps ?? 2000, options.LearningRate, "training the classifier", progress, cancel);
        using var gradients = no_grad();
        long right = network.Last(xTest).gt(0).sum().item<long>() + network.Last(yTest).le(0).sum().item<long>();
        double accuracy = right / (2.0 * held);
        return new(Math.Abs(accuracy - 0.5), accuracy, Interval.Wilson(right, 2 * held, options.Level), 2 * held);

        Tensor Loss()
        {
            var (a, b) = (SequenceTraining.Batch(xTrain, options.BatchSize, random), SequenceTraining.Batch(yTrain, options.BatchSize, random));
            var logits = network.Last(cat([a, b])).squeeze(1);
            return nn.functional.binary_cross_entropy_with_logits(logits, cat([ones(a.size(0), device: a.device), zeros(b.size(0), device: a.device)]));
        }
    }
}
