namespace Langevin.Metrics.Signals;

/// <summary>Bands of a mel spectrum. Figures compare only at equal options.</summary>
public sealed record MelOptions
{
    /// <summary>The short-time transform.</summary>
    public SpectrumOptions Spectrum { get; init; } = new();

    /// <summary>Mel bands K, at least 2.</summary>
    public int Bands { get; init; } = 40;

    /// <summary>Lower end of the lowest band in Hz.</summary>
    public double Lowest { get; init; }

    /// <summary>Upper end of the highest band in Hz; null takes half the sampling rate.</summary>
    public double? Highest { get; init; }

    /// <summary>Least power of a band, positive: silence has no logarithm. In squared units of the signal times the window's gain.</summary>
    public double Floor { get; init; } = 1e-10;

    /// <summary>Frames of 25 ms every 10 ms, the transform the power of two that is at least twice as long.</summary>
    /// <param name="sampleRate">In Hz, at least 100.</param>
    /// <param name="bands">Mel bands.</param>
    public static MelOptions Speech(double sampleRate = 16_000, int bands = 64)
    {
        if (!(sampleRate is >= 100 and <= 1e7)) throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "must be from 100 Hz to 10 MHz");
        int window = (int)Math.Round(0.025 * sampleRate), hop = (int)Math.Round(0.01 * sampleRate);
        int transform = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * window));
        return new() { Bands = bands, Spectrum = new() { Window = window, Hop = hop, Transform = transform } };
    }

    internal void Validate(double sampleRate)
    {
        Spectrum.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThan(Bands, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Floor);
        if (!(sampleRate > 0 && double.IsFinite(sampleRate))) throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "must be positive");
        double half = sampleRate / 2, high = Highest ?? half;
        if (!(Lowest >= 0 && Lowest < high && high <= half))
            throw new ArgumentException($"bands from {Lowest} to {high} Hz do not lie between 0 and half the sampling rate, {half} Hz");
    }
}
