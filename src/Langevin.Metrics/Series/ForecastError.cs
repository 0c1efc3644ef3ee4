using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>Errors of point forecasts and imputations, each [N] in float64 unless said otherwise.</summary>
/// <remarks>The mean absolute percentage error is left out on purpose: it is infinite at a target of 0 and favours low forecasts.</remarks>
public static class ForecastError
{
    /// <summary>Mean absolute error of each item over its judged values.</summary>
    /// <param name="forecast">[N, ...].</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="mask">[N, ...], 1 where a value is judged and 0 elsewhere; null judges all. Every item needs a judged value.</param>
    public static Tensor MeanAbsolute(Tensor forecast, Tensor target, Tensor? mask = null) => Mean(forecast, target, mask, e => e.abs());

    /// <summary>Mean squared error of each item over its judged values.</summary>
    /// <inheritdoc cref="MeanAbsolute" path="/param"/>
    public static Tensor MeanSquared(Tensor forecast, Tensor target, Tensor? mask = null) => Mean(forecast, target, mask, e => e.square());

    /// <summary>Root of <see cref="MeanSquared"/> of each item. Its mean over items is not the error of all values: see <see cref="Pooled"/>.</summary>
    /// <inheritdoc cref="MeanAbsolute" path="/param"/>
    public static Tensor RootMeanSquared(Tensor forecast, Tensor target, Tensor? mask = null) =>
        WrappedTensorDisposeScope(() => MeanSquared(forecast, target, mask).sqrt());

    /// <summary>Mean absolute and root mean squared error of all judged values together, as tables of imputation report them.</summary>
    /// <inheritdoc cref="MeanAbsolute" path="/param"/>
    public static (double MeanAbsolute, double RootMeanSquared) Pooled(Tensor forecast, Tensor target, Tensor? mask = null)
    {
        Check(forecast, target, mask);
        using var scope = NewDisposeScope();
        var weight = mask?.to(float64) ?? ones_like(target, float64);
        double judged = weight.sum().item<double>();
        if (judged == 0) throw new ArgumentException("the mask judges no value", nameof(mask));
        var error = (forecast.to(float64) - target.to(float64)).abs();
        return ((error * weight).sum().item<double>() / judged, Math.Sqrt((error.square() * weight).sum().item<double>() / judged));
    }

    /// <summary>
    /// Mean absolute scaled error of each item: the mean absolute error over that of the seasonal naive forecast,
    /// |y_t − y_(t−m)|, inside the item's own history (Hyndman and Koehler 2006, IJF 22). Below 1 beats repeating the last season;
    /// channels are scaled one by one and averaged.
    /// </summary>
    /// <param name="forecast">[N, H] or [N, H, K]: H steps, K channels.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="history">[N, T] or [N, T, K]: what came before, T &gt; <paramref name="season"/>.</param>
    /// <param name="season">m, the steps of a season; 1 scales by the random walk.</param>
    /// <exception cref="ArgumentException">A channel's history repeats itself every season, so that the scale is 0.</exception>
    public static Tensor MeanAbsoluteScaled(Tensor forecast, Tensor target, Tensor history, int season = 1)
    {
        Check(forecast, target, null);
        ArgumentNullException.ThrowIfNull(history);
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        if (target.dim() > 3 || history.dim() != target.dim() || history.size(0) != target.size(0) || (target.dim() == 3 && history.size(2) != target.size(2)))
            throw new ArgumentException($"expected [N, H] or [N, H, K] and a history [N, T] or [N, T, K], got {Require.Shape(target)} and {Require.Shape(history)}", nameof(history));
        long pairs = history.size(1) - season;
        if (pairs < 1) throw new ArgumentException($"a history of {history.size(1)} steps holds no pair {season} steps apart", nameof(history));
        using var scope = NewDisposeScope();
        var past = history.to(float64);
        var scale = (past.narrow(1, season, pairs) - past.narrow(1, 0, pairs)).abs().mean([1]);
        if (scale.le(0).any().item<bool>())
            throw new ArgumentException($"a history that repeats itself every {season} steps has a scale of 0: leave such items out", nameof(history));
        var scaled = (forecast.to(float64) - target.to(float64)).abs().mean([1]) / scale;
        return scaled.view(scaled.size(0), -1).mean([1]).MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor forecast, Tensor target, Tensor? mask, Func<Tensor, Tensor> of)
    {
        Check(forecast, target, mask);
        using var scope = NewDisposeScope();
        var error = of(forecast.to(float64) - target.to(float64)).flatten(1);
        if (mask is null) return error.mean([1]).MoveToOuterDisposeScope();
        var weight = mask.to(float64).flatten(1);
        var judged = weight.sum([1]);
        if (judged.le(0).any().item<bool>()) throw new ArgumentException("the mask of an item judges none of its values: leave that item out", nameof(mask));
        return ((error * weight).sum([1]) / judged).MoveToOuterDisposeScope();
    }

    private static void Check(Tensor forecast, Tensor target, Tensor? mask)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        ArgumentNullException.ThrowIfNull(target);
        if (forecast.dim() < 2 || forecast.numel() == 0)
            throw new ArgumentException($"expected forecasts [N, ...], got {Require.Shape(forecast)}", nameof(forecast));
        Require.SameShape(forecast, target);
        if (mask is not null) Require.SameShape(target, mask);
    }
}
