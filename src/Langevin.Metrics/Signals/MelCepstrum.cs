using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>How a mel-cepstrum is computed. Distortions compare only at equal options.</summary>
public sealed record MelCepstrumOptions
{
    /// <summary>The short-time transform.</summary>
    public SpectrumOptions Spectrum { get; init; } = new();

    /// <summary>Mel bands K.</summary>
    public int Bands { get; init; } = 40;

    /// <summary>Coefficients after c₀, fewer than the bands.</summary>
    public int Coefficients { get; init; } = 13;

    /// <summary>Lower end of the lowest band in Hz.</summary>
    public double Lowest { get; init; }

    /// <summary>Upper end of the highest band in Hz; null takes half the sampling rate.</summary>
    public double? Highest { get; init; }

    /// <summary>Least power of a band.</summary>
    public double Floor { get; init; } = 1e-10;
}

/// <summary>
/// The mel-cepstrum by bands: ln A of each mel band's amplitude A as c₀ + Σ c_m cos(π m (k + ½) / K) over the bands k, a DCT-II
/// scaled so that this series is exact when all K coefficients are kept.
/// </summary>
/// <remarks>
/// Bands are triangles of power, their corners evenly spaced in 2595 log₁₀(1 + f / 700) (O'Shaughnessy 1987), not normalised by
/// width. This is not the all-pole mel-cepstrum of SPTK: distortions of one are not comparable with those of the other.
/// </remarks>
public static class MelCepstrum
{
    /// <summary>c₀ to c_C of every frame, [N, F, C + 1], float64.</summary>
    /// <param name="signal">[N, T], at least one window long.</param>
    /// <param name="sampleRate">In Hz.</param>
    /// <param name="options">Settings.</param>
    public static Tensor Of(Tensor signal, int sampleRate, MelCepstrumOptions? options = null)
    {
        options ??= new();
        using var scope = NewDisposeScope();
        var power = Waves.Power(Waves.Signal(signal), options.Spectrum, nameof(signal));
        var filters = Filters(sampleRate, power.size(2), options).to(power.device);
        var level = nn.functional.linear(power, filters).clamp_min(options.Floor).log() * 0.5;
        return nn.functional.linear(level, Cosines(options).to(power.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Weights of the bands over the frequencies of the transform, [K, bins].</summary>
    internal static Tensor Filters(int sampleRate, long bins, MelCepstrumOptions options) => WrappedTensorDisposeScope(() =>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Bands, 2);
        double half = sampleRate / 2.0, low = options.Lowest, high = options.Highest ?? half;
        if (!(low >= 0 && low < high && high <= half))
            throw new ArgumentException($"bands from {low} to {high} Hz do not lie between 0 and half the sampling rate, {half} Hz", nameof(options));
        double Mel(double f) => 2595 * Math.Log10(1 + f / 700);
        double[] corner = [.. Enumerable.Range(0, options.Bands + 2)
            .Select(i => 700 * (Math.Pow(10, (Mel(low) + (Mel(high) - Mel(low)) * i / (options.Bands + 1)) / 2595) - 1))];
        var f = linspace(0, half, bins, float64).unsqueeze(0);
        var edges = tensor(corner, float64).unsqueeze(1);
        Tensor At(int shift) => edges.narrow(0, shift, options.Bands);
        var filters = ((f - At(0)) / (At(1) - At(0))).minimum((At(2) - f) / (At(2) - At(1))).clamp_min(0);
        if (filters.amax([1]).le(0).any().item<bool>())
            throw new ArgumentException($"{options.Bands} bands are too many for {bins} frequencies: a band holds none; lengthen the transform or take fewer bands", nameof(options));
        return filters;
    });

    /// <summary>The rows of the cosine transform, [C + 1, K].</summary>
    private static Tensor Cosines(MelCepstrumOptions options) => WrappedTensorDisposeScope(() =>
    {
        if (options.Coefficients < 1 || options.Coefficients >= options.Bands)
            throw new ArgumentException($"{options.Coefficients} coefficients of {options.Bands} bands: from 1 to {options.Bands - 1} are possible", nameof(options));
        var m = arange(options.Coefficients + 1, float64).unsqueeze(1);
        var k = arange(options.Bands, float64).unsqueeze(0) + 0.5;
        var weight = where(m.eq(0), ones_like(m), ones_like(m) * 2) / options.Bands;
        return (m * k * (Math.PI / options.Bands)).cos() * weight;
    });
}
