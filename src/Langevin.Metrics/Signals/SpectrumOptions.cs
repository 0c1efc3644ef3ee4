namespace Langevin.Metrics.Signals;

/// <summary>A short-time Fourier transform by a periodic Hann window; only frames that lie wholly inside the signal are taken.</summary>
public sealed record SpectrumOptions
{
    /// <summary>Samples of a frame, at least 2.</summary>
    public int Window { get; init; } = 1024;

    /// <summary>Samples from one frame to the next.</summary>
    public int Hop { get; init; } = 256;

    /// <summary>Length of the transform, at least <see cref="Window"/> (the frame is padded by zeros); null takes the window's.</summary>
    public int? Transform { get; init; }

    /// <summary>The transform's length.</summary>
    internal int Length => Transform ?? Window;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Window, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(Hop, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Length, Window, nameof(Transform));
    }
}
