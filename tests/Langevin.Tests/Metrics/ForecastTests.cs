using Langevin.Metrics.Series;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class ForecastTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static Tensor Row(params double[] values) => tensor(values, float64).unsqueeze(0);

    // scikit-learn 1.2.1: mean_absolute_error, mean_squared_error, mean_pinball_loss of Noise(40, 11) and Noise(40, 12).
    [Fact]
    public void Errors_equal_those_of_scikit_learn()
    {
        var (y, f) = (TestSignals.Noise(40, 11).view(1, 40), TestSignals.Noise(40, 12).view(1, 40));
        Assert.Equal(0.31125193072948604, ForecastError.MeanAbsolute(f, y).item<double>(), 1e-14);
        Assert.Equal(0.16218944569095775, ForecastError.MeanSquared(f, y).item<double>(), 1e-14);
        Assert.Equal(Math.Sqrt(0.16218944569095775), ForecastError.RootMeanSquared(f, y).item<double>(), 1e-14);
        Assert.Equal(0.16783958751009778, QuantileLoss.Pinball(f, y, 0.1).item<double>(), 1e-14);
        Assert.Equal(0.15562596536474302, QuantileLoss.Pinball(f, y, 0.5).item<double>(), 1e-14);
        Assert.Equal(0.14341234321938828, QuantileLoss.Pinball(f, y, 0.9).item<double>(), 1e-14);
    }

    [Fact]
    public void A_mask_judges_as_if_the_other_values_were_not_there()
    {
        var (y, f, mask) = (TestSignals.Noise(24, 1).view(2, 3, 4), TestSignals.Noise(24, 2).view(2, 3, 4), ones(2, 3, 4));
        mask[0].narrow(1, 2, 2).zero_();
        var first = ForecastError.MeanAbsolute(f[0].narrow(1, 0, 2).reshape(1, 6), y[0].narrow(1, 0, 2).reshape(1, 6)).item<double>();
        var second = ForecastError.MeanAbsolute(f[1].view(1, 12), y[1].view(1, 12)).item<double>();
        var masked = ForecastError.MeanAbsolute(f, y, mask);
        Assert.Equal(first, masked[0].item<double>(), 1e-14);
        Assert.Equal(second, masked[1].item<double>(), 1e-14);
        // All judged values weigh alike: 6 of one item, 12 of the other.
        var (mae, rmse) = ForecastError.Pooled(f, y, mask);
        Assert.Equal((6 * first + 12 * second) / 18, mae, 1e-14);
        Assert.Equal(Math.Sqrt(((f - y).square() * mask).sum().item<double>() / 18), rmse, 1e-14);
        mask[0].zero_();
        Assert.Contains("mask", Assert.Throws<ArgumentException>(() => ForecastError.MeanSquared(f, y, mask)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ForecastError.Pooled(f, y, mask * 0));
    }

    // The documented example of sktime's mean_absolute_scaled_error, 0.55 / 3; and a season of 2 by hand.
    [Fact]
    public void Scaled_error_by_hand()
    {
        Tensor history = Row(5, 0.5, 4, 6, 3, 5, 2), target = Row(3, -0.5, 2, 7, 2), forecast = Row(2.5, 0, 2, 8, 1.25);
        Assert.Equal(0.55 / 3, ForecastError.MeanAbsoluteScaled(forecast, target, history).item<double>(), 1e-14);
        // |4−5|, |6−0.5|, |3−4|, |5−6|, |2−3| have mean 1.9.
        Assert.Equal(0.55 / 1.9, ForecastError.MeanAbsoluteScaled(forecast, target, history, season: 2).item<double>(), 1e-14);
    }

    [Fact]
    public void Scaled_error_does_not_depend_on_units_and_is_one_for_the_naive_forecast_of_a_walk()
    {
        var (history, target, forecast) = (TestSignals.Noise(60, 3).view(2, 10, 3), TestSignals.Noise(24, 4).view(2, 4, 3), TestSignals.Noise(24, 5).view(2, 4, 3));
        var (unit, offset) = (tensor(new[] { 2.0, 50, 0.1 }), tensor(new[] { 1.0, -3, 7 }));
        var scaled = ForecastError.MeanAbsoluteScaled(forecast, target, history);
        Assert.True(scaled.allclose(ForecastError.MeanAbsoluteScaled(forecast * unit + offset, target * unit + offset, history * unit + offset), 1e-12, 0));
        // Steps of ±1: the last value, held for one step, errs by exactly the scale.
        Assert.Equal(1, ForecastError.MeanAbsoluteScaled(Row(2), Row(1), Row(0, 1, 0, 1, 2)).item<double>(), 1e-14);
        Assert.Contains("repeats", Assert.Throws<ArgumentException>(() => ForecastError.MeanAbsoluteScaled(Row(2), Row(1), Row(0, 1, 0, 1), 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ForecastError.MeanAbsoluteScaled(Row(2), Row(1), Row(0, 1), 2));
        Assert.Throws<ArgumentException>(() => ForecastError.MeanAbsolute(Row(2, 1), Row(1)));
    }

    [Fact]
    public void Quantile_losses_average_to_the_normalised_score()
    {
        var (forecast, target) = (TestSignals.Noise(120, 6).view(3, 10, 4), TestSignals.Noise(12, 7).view(3, 4));
        double[] levels = [.. Enumerable.Range(1, 19).Select(i => i * 0.05)];
        var weighted = QuantileLoss.Weighted(forecast, target, levels);
        Assert.Equal(Crps.Normalised(forecast, target), weighted.Average(), 1e-12);
        // One level by its definition.
        double pinball = QuantileLoss.OfEnsemble(forecast, target, 0.25).mean().item<double>();
        Assert.Equal(2 * pinball / target.abs().mean().item<double>(), weighted[4], 1e-12);
        Assert.Equal(0, QuantileLoss.Pinball(target, target, 0.3).sum().item<double>());
        Assert.Throws<ArgumentOutOfRangeException>(() => QuantileLoss.Pinball(target, target, 1));
        Assert.Throws<ArgumentException>(() => QuantileLoss.OfEnsemble(target, target, 0.5));
        Assert.Throws<ArgumentException>(() => QuantileLoss.Weighted(forecast, target, []));
    }

    [Fact]
    public void Pinball_loss_is_least_at_the_quantile()
    {
        var y = TestSignals.Noise(2001, 8).view(1, -1);
        double At(double q) => QuantileLoss.Pinball(full_like(y, q), y, 0.3).item<double>();
        double quantile = y.flatten().quantile(tensor(0.3, float64)).item<double>();
        Assert.True(At(quantile) < At(quantile + 0.02));
        Assert.True(At(quantile) < At(quantile - 0.02));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        var (y, f, mask) = (TestSignals.Noise(12, 1).view(2, 6), TestSignals.Noise(12, 2).view(2, 6), ones(2, 6));
        Leak.None(() =>
        {
            ForecastError.MeanAbsolute(f, y, mask).Dispose();
            ForecastError.RootMeanSquared(f, y).Dispose();
            ForecastError.MeanAbsoluteScaled(f, y, y).Dispose();
            ForecastError.Pooled(f, y);
            QuantileLoss.Pinball(f, y, 0.5).Dispose();
        });
    }
}
