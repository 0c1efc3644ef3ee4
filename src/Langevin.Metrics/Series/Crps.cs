using static TorchSharp.torch;

namespace Langevin.Metrics.Series;

/// <summary>
/// The continuous ranked probability score of a forecast given by samples (Gneiting and Raftery 2007, JASA 102): the mean
/// absolute error generalised to distributions, 0 only for a certain and right forecast.
/// </summary>
public static class Crps
{
    /// <summary>E|X − y| − ½ E|X − X′| of each value.</summary>
    /// <param name="forecast">[N, S, ...]: S samples of each value.</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="fair">Leave out the pairs of a sample with itself (needs S ≥ 2): the score then does not depend on S in expectation.</param>
    /// <returns>[N, ...], float64.</returns>
    public static Tensor Ensemble(Tensor forecast, Tensor target, bool fair = false)
    {
        Check(forecast, target);
        long samples = forecast.size(1);
        if (fair && samples < 2) throw new ArgumentException("the fair score needs at least 2 samples", nameof(forecast));
        return WrappedTensorDisposeScope(() =>
        {
            var x = forecast.to(float64).sort(1).Values;
            var error = (x - target.to(float64).unsqueeze(1)).abs().mean([1]);
            // Σᵢⱼ |xᵢ − xⱼ| = 2 Σᵢ (2i − S + 1) x₍ᵢ₎ over the sorted samples, i from 0.
            var weight = (arange(samples, float64, x.device) * 2 - (samples - 1)).view([1, -1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)]);
            var spread = (x * weight).sum([1]) * 2 / (samples * (double)(fair ? samples - 1 : samples));
            return error - spread / 2;
        });
    }

    /// <summary>
    /// The normalised score of the imputation and forecasting literature: mean over the quantile levels of twice the
    /// quantile loss, summed over the judged values and divided by their summed absolute target.
    /// </summary>
    /// <param name="forecast">[N, S, ...].</param>
    /// <param name="target">[N, ...].</param>
    /// <param name="mask">[N, ...], 1 where a value is judged; null judges all.</param>
    /// <param name="levels">Quantile levels; 0.05, 0.1, ..., 0.95 when null.</param>
    public static double Normalised(Tensor forecast, Tensor target, Tensor? mask = null, IReadOnlyList<double>? levels = null)
    {
        using var items = NormalisedItems(forecast, target, mask, levels);
        using var mean = items.mean();
        return mean.item<double>();
    }

    /// <summary>What each item adds to <see cref="Normalised"/>: their mean is that score. The divisor is that of all items together.</summary>
    /// <inheritdoc cref="Normalised" path="/param"/>
    /// <returns>[N], float64.</returns>
    public static Tensor NormalisedItems(Tensor forecast, Tensor target, Tensor? mask = null, IReadOnlyList<double>? levels = null)
    {
        Check(forecast, target);
        if (mask is not null) Require.SameShape(target, mask);
        levels ??= [.. Enumerable.Range(1, 19).Select(i => i * 0.05)];
        if (levels.Count == 0 || levels.Any(l => !(l is > 0 and < 1)))
            throw new ArgumentException("give at least one quantile level, each between 0 and 1", nameof(levels));
        using var scope = NewDisposeScope();
        var y = target.to(float64);
        var sorted = forecast.to(float64).sort(1).Values;
        var judged = mask?.to(float64) ?? ones_like(y);
        double scale = (y * judged).abs().sum().item<double>();
        if (scale == 0) throw new ArgumentException("the judged targets are all 0: the normalised score divides by their sum", nameof(target));
        var total = zeros(y.size(0), float64, y.device);
        foreach (double level in levels)
        {
            using var one = NewDisposeScope();
            // The quantile, linear between the samples around place q (S − 1).
            double place = level * (sorted.size(1) - 1);
            long below = Math.Min((long)place, sorted.size(1) - 1), above = Math.Min(below + 1, sorted.size(1) - 1);
            var quantile = sorted.select(1, below).lerp(sorted.select(1, above), tensor(place - below, float64, y.device));
            total.add_(((quantile - y) * judged * (y.le(quantile).to(float64) - level)).abs().reshape(y.size(0), -1).sum(1));
        }
        return (total * (2 * y.size(0) / (scale * levels.Count))).MoveToOuterDisposeScope();
    }

    /// <summary>The normalised score of the sum over the last dimension (channels), as for multivariate forecasts.</summary>
    /// <param name="forecast">[N, S, ..., K].</param>
    /// <param name="target">[N, ..., K].</param>
    /// <param name="mask">[N, ..., K]; a sum weighs by the share of its values that are judged.</param>
    public static double NormalisedSum(Tensor forecast, Tensor target, Tensor? mask = null)
    {
        Check(forecast, target);
        using var scope = NewDisposeScope();
        return Normalised(forecast.to(float64).sum([-1]), target.to(float64).sum([-1]), mask?.to(float64).mean([-1]));
    }

    /// <summary>A quantile over the samples, interpolated linearly, [N, ...] from [N, S, ...].</summary>
    public static Tensor Quantile(Tensor forecast, double level)
    {
        Interval.CheckLevel(level);
        return WrappedTensorDisposeScope(() => forecast.quantile(tensor(level, forecast.dtype, forecast.device), 1));
    }

    private static void Check(Tensor forecast, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        ArgumentNullException.ThrowIfNull(target);
        if (forecast.dim() != target.dim() + 1 || forecast.dim() < 2 || forecast.size(0) != target.size(0)
            || !forecast.shape.AsSpan(2).SequenceEqual(target.shape.AsSpan(1)) || forecast.numel() == 0)
            throw new ArgumentException($"expected a forecast [N, S, ...] of a target [N, ...], got {Require.Shape(forecast)} and {Require.Shape(target)}", nameof(forecast));
    }
}
