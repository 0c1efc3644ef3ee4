using static TorchSharp.torch;

namespace Langevin;

/// <summary>Signals of any length by windows of one length: cut with overlap, worked on one by one, and faded into each other.</summary>
public static class Windows
{
    /// <summary>The windows of a signal: at 0, hop, 2 hop, ... and the last one where the signal ends. A shorter signal is held at its last value.</summary>
    /// <param name="signal">[C, T], T at least 1.</param>
    /// <param name="length">Length L of a window.</param>
    /// <param name="hop">From one to the next, 1..L.</param>
    /// <returns>[W, C, L].</returns>
    public static Tensor Cut(Tensor signal, int length, int hop)
    {
        ArgumentNullException.ThrowIfNull(signal);
        if (signal.dim() != 2) throw new ArgumentException($"expected a signal [C, T], got [{string.Join(", ", signal.shape)}]", nameof(signal));
        using var scope = NewDisposeScope();
        long total = signal.size(1);
        var held = total >= length ? signal : cat([signal, signal.narrow(1, total - 1, 1).expand(-1, length - total)], 1);
        return stack(Starts(total, length, hop).Select(s => held.narrow(1, s, length)).ToArray()).MoveToOuterDisposeScope();
    }

    /// <summary>One signal of windows: where several overlap, their mean, each weighted by the distance to its own nearer end.</summary>
    /// <param name="windows">[W, C, L], as <see cref="Cut"/> gives them.</param>
    /// <param name="total">Length T of the signal.</param>
    /// <param name="hop">As it was cut.</param>
    /// <returns>[C, T].</returns>
    public static Tensor Join(Tensor windows, long total, int hop)
    {
        ArgumentNullException.ThrowIfNull(windows);
        int length = (int)windows.size(2);
        var starts = Starts(total, length, hop);
        if (windows.size(0) != starts.Length) throw new ArgumentException($"a signal of {total} samples has {starts.Length} windows, got {windows.size(0)}", nameof(windows));
        using var scope = NewDisposeScope();
        var place = arange(length, ScalarType.Int64, windows.device);
        var weight = (minimum(place, length - 1 - place) + 0.5).to(windows.dtype);
        var index = (tensor(starts, device: windows.device).unsqueeze(1) + place).flatten();
        long span = Math.Max(total, length);
        var sum = zeros(windows.size(1), span, windows.dtype, windows.device).index_add_(1, index, (windows * weight).transpose(0, 1).flatten(1), 1);
        var share = zeros(span, windows.dtype, windows.device).index_add_(0, index, weight.repeat(starts.Length), 1);
        return (sum / share).narrow(1, 0, total).contiguous().MoveToOuterDisposeScope();
    }

    private static long[] Starts(long total, int length, int hop)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(total, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(hop, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hop, length);
        if (total <= length) return [0];
        long last = total - length;
        return [.. Enumerable.Range(0, (int)((last + hop - 1) / hop)).Select(i => (long)i * hop), last];
    }
}
