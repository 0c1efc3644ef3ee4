using Langevin.Metrics.Series;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class SequenceScoreTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(5);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(params long[] shape) => randn(shape, float64, generator: random);

    [Fact]
    public void A_classifier_reaches_the_accuracy_that_is_possible_and_no_more()
    {
        // Means ±a in every one of T steps: the best accuracy is Φ(a √T), here Φ(0.6745) = ¾.
        const double shift = 0.67449 / 2;
        var (real, synthetic) = (Normal(4000, 4, 1) + shift, Normal(4000, 4, 1) - shift);
        var options = new SequenceScoreOptions { Hidden = 8, Steps = 200, BatchSize = 64, LearningRate = 1e-2, HeldOut = 0.5 };
        var result = DiscriminativeScore.Between(real, synthetic, options);
        Assert.Equal(4000, result.HeldOut);
        // Three standard errors of a share of ¾ among 4,000 are 0.021.
        Assert.InRange(result.Score, 0.25 - 0.03, 0.25 + 0.021);
    }

    [Fact]
    public void Equal_distributions_are_not_told_apart_and_distant_ones_always()
    {
        var options = new SequenceScoreOptions { Steps = 100, HeldOut = 0.5, LearningRate = 1e-2, Hidden = 4, Level = 0.999 };
        var same = DiscriminativeScore.Between(Normal(1000, 6, 3), Normal(800, 6, 3), options);
        Assert.Equal(800, same.HeldOut);
        Assert.True(same.Interval.Contains(0.5), $"{same.Interval}");
        Assert.Equal(0.5, DiscriminativeScore.Between(Normal(200, 6, 3), Normal(200, 6, 3) + 20, options).Score);
    }

    [Theory]
    [InlineData(PredictionTarget.LastChannel)]
    [InlineData(PredictionTarget.AllChannels)]
    public void What_cannot_be_predicted_errs_by_its_spread(PredictionTarget target)
    {
        // Independent uniform values: the median predicts best, with a mean absolute error of ¼ of the range.
        Tensor Uniform() => rand([1000, 5, 2], float64, generator: random);
        var result = PredictiveScore.Between(Uniform(), Uniform(), target, new() { Steps = 150, BatchSize = 64, LearningRate = 1e-2, Hidden = 4 });
        Assert.InRange(result.Score, 0.245, 0.26);
        Assert.True(result.Interval.Contains(result.Score));
    }

    [Theory]
    [InlineData(PredictionTarget.LastChannel)]
    [InlineData(PredictionTarget.AllChannels)]
    public void A_rule_is_learnt_from_sequences_that_follow_it_and_not_from_others(PredictionTarget target)
    {
        // Two channels a quarter period apart, each determined by the past of both.
        Tensor Waves()
        {
            var phase = rand([600, 1, 1], float64, generator: random) * (2 * Math.PI) + arange(12, float64).view(1, 12, 1) * 0.5;
            return cat([phase.sin(), phase.cos()], 2);
        }
        var (real, options) = (Waves(), new SequenceScoreOptions { Steps = 300, BatchSize = 64, LearningRate = 2e-2, Hidden = 12 });
        var learnt = PredictiveScore.Between(real, Waves(), target, options);
        var ignorant = PredictiveScore.Between(real, rand([600, 12, 2], float64, generator: random) * 2 - 1, target, options);
        Assert.InRange(learnt.Score, 0, 0.08);
        // The mean absolute value of a sine of amplitude ½ is 1/π.
        Assert.InRange(ignorant.Score, 0.2, 0.4);
    }

    [Fact]
    public void The_units_of_a_channel_do_not_matter()
    {
        var (real, synthetic) = (Normal(50, 4, 2), Normal(50, 4, 2));
        var options = new SequenceScoreOptions { Steps = 20 };
        var (unit, offset) = (tensor(new[] { 4.0, 0.5 }), tensor(new[] { 8.0, -2 }));
        // Equal seeds give equal scores.
        Assert.Equal(DiscriminativeScore.Between(real, synthetic, options), DiscriminativeScore.Between(real, synthetic, options));
        Assert.Equal(
            PredictiveScore.Between(real, synthetic, options: options).Score,
            PredictiveScore.Between(real * unit + offset, synthetic * unit + offset, options: options).Score, 1e-5);
    }

    [Fact]
    public void Bad_input_is_refused_and_nothing_is_left_behind()
    {
        var (real, synthetic) = (Normal(20, 4, 2), Normal(20, 4, 2));
        Assert.Throws<ArgumentException>(() => DiscriminativeScore.Between(real, synthetic.narrow(1, 0, 3)));
        Assert.Throws<ArgumentException>(() => DiscriminativeScore.Between(real.narrow(0, 0, 9), synthetic));
        Assert.Throws<ArgumentException>(() => PredictiveScore.Between(real, synthetic * double.NaN));
        Assert.Contains("AllChannels", Assert.Throws<ArgumentException>(
            () => PredictiveScore.Between(real.narrow(2, 0, 1), synthetic.narrow(2, 0, 1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => DiscriminativeScore.Between(real, synthetic, new() { HeldOut = 1 }));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => DiscriminativeScore.Between(real, synthetic, cancel: cancelled.Token));
        var options = new SequenceScoreOptions { Steps = 2 };
        Leak.None(() =>
        {
            DiscriminativeScore.Between(real, synthetic, options);
            PredictiveScore.Between(real, synthetic, options: options);
        });
    }
}
