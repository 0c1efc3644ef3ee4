using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// Classical filters that shift nothing in time. The Butterworth ones have the gain |H|² of a digital filter run forwards and backwards
/// (bilinear transform); beyond its ends the signal is mirrored, so that the gain is exact at every frequency of the mirrored signal.
/// </summary>
public static class ZeroPhase
{
    /// <summary>A Butterworth filter, float64 [N, T]: high-pass, low-pass or both.</summary>
    /// <param name="signal">[N, T] or [N, 1, T].</param>
    /// <param name="rate">Samples per second.</param>
    /// <param name="low">Cut-off of the high-pass in Hz, where the gain is a half; null for none.</param>
    /// <param name="high">Cut-off of the low-pass in Hz; null for none.</param>
    /// <param name="order">Order of each in one direction, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A cut-off that is not between 0 and half the rate.</exception>
    public static Tensor Butterworth(Tensor signal, double rate, double? low, double? high, int order = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        foreach (double cut in new[] { low, high }.OfType<double>())
            if (!(cut > 0 && cut < rate / 2)) throw new ArgumentOutOfRangeException(nameof(low), cut, $"a cut-off must lie between 0 and {rate / 2} Hz, half the rate");
        using var scope = NewDisposeScope();
        var x = Waves.Signal(signal);
        long length = x.size(1);
        // tan(π f / rate) at the frequencies of the mirrored signal of 2T samples: 0 at the first, infinite at the last.
        var w = (arange(length + 1, float64, x.device) * (Math.PI / (2 * length))).tan().abs();
        w[length] = double.PositiveInfinity;
        var gain = ones_like(w);
        if (low is { } l) gain = gain * (1 - Pass(w, l, rate, order));
        if (high is { } h) gain = gain * Pass(w, h, rate, order);
        var mirrored = cat([x, x.flip(1)], 1);
        return fft.irfft(fft.rfft(mirrored) * gain, 2 * length).narrow(1, 0, length).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The slow part of an ECG by two medians in turn, over 0.2 s, which takes out P wave and QRS complex, and over 0.6 s, which takes out
    /// the T wave (de Chazal et al. 2004, section II-B), float64 [N, T].
    /// </summary>
    /// <param name="signal">[N, T] or [N, 1, T].</param>
    /// <param name="rate">Samples per second.</param>
    public static Tensor MedianBaseline(Tensor signal, double rate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        return WrappedTensorDisposeScope(() => Median(Median(Waves.Signal(signal), 0.2 * rate), 0.6 * rate));
    }

    // The gain of a low-pass run both ways: 1 / (1 + (w / w_c)^2n).
    private static Tensor Pass(Tensor w, double cut, double rate, int order) => 1 / (1 + (w / Math.Tan(Math.PI * cut / rate)).pow(2 * order));

    private static Tensor Median(Tensor x, double width)
    {
        long half = Math.Max(1, (long)Math.Round((width - 1) / 2));
        var held = cat([x.narrow(1, 0, 1).expand(-1, half), x, x.narrow(1, x.size(1) - 1, 1).expand(-1, half)], 1);
        return held.unfold(1, 2 * half + 1, 1).kthvalue(half + 1, 2).values;
    }
}
