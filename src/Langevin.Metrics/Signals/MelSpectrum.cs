using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// Power of a signal in bands evenly spaced by pitch: triangles whose corners are evenly spaced in 2595 log₁₀(1 + f / 700)
/// (O'Shaughnessy 1987), of height 1 and not normalised by width.
/// </summary>
public static class MelSpectrum
{
    /// <summary>ln max(P, floor) of the power P of each band in each frame, [N, F, K], float64.</summary>
    /// <param name="signal">[N, T] or [N, 1, T], at least one window long.</param>
    /// <param name="sampleRate">In Hz.</param>
    /// <param name="options">Frames and bands.</param>
    public static Tensor Log(Tensor signal, double sampleRate, MelOptions? options = null)
    {
        options ??= new();
        options.Validate(sampleRate);
        using var scope = NewDisposeScope();
        var power = Waves.Power(Waves.Signal(signal), options.Spectrum, nameof(signal));
        var filters = Filters(sampleRate, power.size(2), options).to(power.device);
        return nn.functional.linear(power, filters).clamp_min(options.Floor).log().MoveToOuterDisposeScope();
    }

    /// <summary>Weights of the bands over the frequencies of the transform, [K, bins].</summary>
    internal static Tensor Filters(double sampleRate, long bins, MelOptions options) => WrappedTensorDisposeScope(() =>
    {
        double half = sampleRate / 2, low = Mel(options.Lowest), high = Mel(options.Highest ?? half);
        double[] corner = [.. Enumerable.Range(0, options.Bands + 2).Select(i => Hertz(low + (high - low) * i / (options.Bands + 1)))];
        var f = linspace(0, half, bins, float64).unsqueeze(0);
        var edges = tensor(corner, float64).unsqueeze(1);
        Tensor At(int shift) => edges.narrow(0, shift, options.Bands);
        var filters = ((f - At(0)) / (At(1) - At(0))).minimum((At(2) - f) / (At(2) - At(1))).clamp_min(0);
        if (filters.amax([1]).le(0).any().item<bool>())
            throw new ArgumentException($"{options.Bands} bands are too many for {bins} frequencies: a band holds none; lengthen the transform or take fewer bands", nameof(options));
        return filters;
    });

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);

    private static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);
}
