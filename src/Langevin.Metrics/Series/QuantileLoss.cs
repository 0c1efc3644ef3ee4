using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>
/// The quantile (pinball) loss max(q (y − ŷ), (q − 1)(y − ŷ)), least in expectation where ŷ is the q-quantile of y (Koenker and
/// Bassett 1978, Econometrica 46). The mean of twice this loss over all levels is <see cref="Crps"/>.
/// </summary>
public static class QuantileLoss
{
    /// <summary>Mean loss of each item, [N], float64, in the units of the target.</summary>
    /// <param name="quantile">[N, ...]: the forecast of the quantile.</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="level">q, between 0 and 1.</param>
    public static Tensor Pinball(Tensor quantile, Tensor target, double level)
    {
        ArgumentNullException.ThrowIfNull(quantile);
        ArgumentNullException.ThrowIfNull(target);
        Interval.CheckLevel(level);
        if (quantile.dim() < 2 || quantile.numel() == 0)
            throw new ArgumentException($"expected quantiles [N, ...], got {Require.Shape(quantile)}", nameof(quantile));
        Require.SameShape(quantile, target);
        return WrappedTensorDisposeScope(() =>
        {
            var under = target.to(float64) - quantile.to(float64);
            return (under * level).maximum(under * (level - 1)).flatten(1).mean([1]);
        });
    }

    /// <summary>The same of a forecast given by samples, whose quantile is interpolated linearly between them.</summary>
    /// <param name="forecast">[N, S, ...]: S samples of each value.</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="level">q, between 0 and 1.</param>
    public static Tensor OfEnsemble(Tensor forecast, Tensor target, double level)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        if (forecast.dim() < 3 || forecast.numel() == 0)
            throw new ArgumentException($"expected a forecast [N, S, ...], got {Require.Shape(forecast)}", nameof(forecast));
        return WrappedTensorDisposeScope(() => Pinball(Crps.Quantile(forecast.to(float64), level), target, level));
    }

    /// <summary>
    /// Weighted quantile loss of each level: twice the summed loss over the summed absolute target of the judged values. Its
    /// mean over the levels is <see cref="Crps.Normalised"/>.
    /// </summary>
    /// <param name="forecast">[N, S, ...].</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="levels">At least one level between 0 and 1.</param>
    /// <param name="mask">[N, ...], 1 where a value is judged; null judges all.</param>
    public static IReadOnlyList<double> Weighted(Tensor forecast, Tensor target, IReadOnlyList<double> levels, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Count == 0) throw new ArgumentException("give at least one quantile level", nameof(levels));
        return [.. levels.Select(level => Crps.Normalised(forecast, target, mask, [level]))];
    }
}
