using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>Shapes of signals, checked, and their spectra.</summary>
internal static class Waves
{
    /// <summary>A reference and an estimate of any shape [N, ...] as float64 rows [N, L].</summary>
    public static (Tensor reference, Tensor estimate) Rows(Tensor reference, Tensor estimate)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(estimate);
        if (reference.dim() < 2 || reference.numel() == 0)
            throw new ArgumentException($"expected signals [N, ...], got {Require.Shape(reference)}", nameof(reference));
        Require.SameShape(reference, estimate);
        return (reference.detach().to(float64).flatten(1), estimate.detach().to(float64, reference.device).flatten(1));
    }

    /// <summary>A floating-point signal, [N, T] or [N, 1, T], as [N, T] in float64.</summary>
    public static Tensor Signal(Tensor x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (!(x.dim() == 2 || (x.dim() == 3 && x.size(1) == 1)) || x.numel() == 0)
            throw new ArgumentException($"expected signals [N, T] or [N, 1, T], got {Require.Shape(x)}", name);
        if (!x.is_floating_point()) throw new ArgumentException($"expected floating-point samples, got {x.dtype}", name);
        Require.Finite(x, name);
        return x.detach().to(float64).flatten(1);
    }

    /// <summary>A reference and an estimate, [N, T] or [N, 1, T], as [N, T] in float64 on the reference's device.</summary>
    public static (Tensor reference, Tensor estimate) Pair(Tensor reference, Tensor estimate)
    {
        var x = Signal(reference);
        ArgumentNullException.ThrowIfNull(estimate);
        Require.SameShape(reference, estimate);
        return (x, Signal(estimate).to(x.device));
    }

    /// <summary>Power spectra [N, F, L/2 + 1] of the windowed frames of a signal [N, T].</summary>
    public static Tensor Power(Tensor x, SpectrumOptions options, string name)
    {
        options.Validate();
        if (x.size(1) < options.Window)
            throw new ArgumentException($"a signal of {x.size(1)} samples is shorter than one window of {options.Window}", name);
        return WrappedTensorDisposeScope(() =>
        {
            var window = hann_window(options.Window, periodic: true, float64, x.device);
            var spectrum = fft.rfft(x.unfold(1, options.Window, options.Hop) * window, options.Length);
            return spectrum.real.square() + spectrum.imag.square();
        });
    }
}
