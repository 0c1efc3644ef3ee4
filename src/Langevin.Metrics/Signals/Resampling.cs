using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// Change of the sampling rate by a rational factor through a Kaiser-windowed sinc: cut-off at half the lower rate, transition a
/// tenth of it wide, 60 dB down, the design of Octave's <c>resample</c>, on which published STOI figures rest.
/// </summary>
public static class Resampling
{
    private const double Rejection = 60;

    /// <summary>The signal at another rate, float64 [N, ⌈T · to / from⌉]; its first sample stays the first. Beyond its ends the signal counts as 0.</summary>
    /// <param name="signal">[N, T] or [N, 1, T].</param>
    /// <param name="from">Its rate in Hz.</param>
    /// <param name="to">The rate wanted.</param>
    public static Tensor Convert(Tensor signal, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
        using var scope = NewDisposeScope();
        var x = Waves.Signal(signal);
        int common = Gcd(from, to), up = to / common, down = from / common;
        if (up == down) return x.clone().MoveToOuterDisposeScope();
        var (filters, first) = Phases(up, down);
        // Output up·i + r is Σ_m g_r[m] x[down·i + m], m from first: one strided convolution with a channel for each phase r.
        long length = (x.size(1) * up + down - 1) / down, blocks = (length + up - 1) / up;
        long right = Math.Max(0, (blocks - 1) * down + first + filters.size(2) - x.size(1));
        var padded = nn.functional.pad(x.unsqueeze(1), [-first, right]);
        var y = nn.functional.conv1d(padded, filters.to(x.device), stride: down);
        return y.narrow(2, 0, blocks).transpose(1, 2).flatten(1).narrow(1, 0, length).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The filter of every phase, [up, 1, M], and the offset (never positive) of its first tap.</summary>
    private static (Tensor filters, long first) Phases(int up, int down)
    {
        int slower = Math.Max(up, down);
        double cutOff = 0.5 / slower;
        long half = (long)Math.Ceiling((Rejection - 8) / (28.714 * cutOff / 10));
        double beta = 0.1102 * (Rejection - 8.7);
        var t = arange(-half, half + 1, float64);
        var kaiser = ((1 - (t / half).square()).clamp_min(0).sqrt() * beta).i0();
        var window = kaiser * (t * (2 * cutOff)).sinc();
        window = window / window.sum() * up;
        // g_r[m] = window[half + r·down − m·up], 0 outside.
        long first = -(half / up), last = ((up - 1L) * down + half) / up;
        var at = half + arange(up, int64).unsqueeze(1) * down - arange(first, last + 1, int64).unsqueeze(0) * up;
        var inside = at.ge(0).logical_and(at.le(2 * half));
        var filters = window.index_select(0, at.clamp(0, 2 * half).flatten()).view(at.shape) * inside.to(float64);
        return (filters.unsqueeze(1), first);
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
