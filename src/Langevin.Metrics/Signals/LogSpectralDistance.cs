using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// The log-spectral distance in dB: the root mean square over frequencies of 10 log₁₀(P / P̂), averaged over frames (Gray and
/// Markel 1976, IEEE TASSP 24). A tenth of it is what papers on audio super-resolution call LSD.
/// </summary>
public static class LogSpectralDistance
{
    /// <summary>The distance of each pair of signals, [N], float64; 0 for equal signals, symmetric.</summary>
    /// <param name="reference">[N, T] or [N, 1, T], at least one window long.</param>
    /// <param name="estimate">The same shape.</param>
    /// <param name="options">The transform.</param>
    /// <param name="floor">Least power of a frequency: silence has no logarithm. In squared units of the signal times the window's gain.</param>
    public static Tensor Between(Tensor reference, Tensor estimate, SpectrumOptions? options = null, double floor = 1e-10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(floor);
        options ??= new();
        using var scope = NewDisposeScope();
        var (x, y) = Waves.Pair(reference, estimate);
        Tensor Level(Tensor signal) => Waves.Power(signal, options, nameof(reference)).clamp_min(floor).log10();
        return ((Level(x) - Level(y)).square().mean([2]).sqrt().mean([1]) * 10).MoveToOuterDisposeScope();
    }
}
