using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>What one channel of a recording is.</summary>
/// <param name="Name">Its name: "MLII", "V5".</param>
/// <param name="Unit">Its physical unit.</param>
public sealed record SignalChannel(string Name, string Unit = "mV")
{
    /// <summary>Steps of the converter for one unit, above 0.</summary>
    public double Gain { get; init; } = 200;

    /// <summary>The converter's value of 0 units.</summary>
    public int Baseline { get; init; }

    /// <summary>The first converter value, where the file states it.</summary>
    public int? InitialValue { get; init; }

    /// <summary>The sum of all converter values, in 16 bits with sign, where the file states it.</summary>
    public int? Checksum { get; init; }
}

/// <summary>A recording of one or more channels at one rate, as of an ECG.</summary>
public sealed class SignalRecord : IDisposable
{
    /// <summary>A recording; it owns the samples from now on (they leave any dispose scope).</summary>
    /// <param name="name">A short name.</param>
    /// <param name="samples">float32 [channels, T] in the channels' units; NaN where a sample is missing.</param>
    /// <param name="rate">Samples per second, above 0.</param>
    /// <param name="channels">One for each row.</param>
    /// <exception cref="ArgumentException">Shape, type or rate does not fit.</exception>
    public SignalRecord(string name, Tensor samples, double rate, IReadOnlyList<SignalChannel> channels)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(channels);
        if (samples.dim() != 2 || samples.dtype != ScalarType.Float32 || samples.numel() == 0 || samples.size(0) != channels.Count)
            throw new ArgumentException($"expected float32 samples [{channels.Count}, T], got {samples.dtype} [{string.Join(", ", samples.shape)}]", nameof(samples));
        if (!(rate > 0) || !double.IsFinite(rate)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "samples per second must be above 0");
        (Name, Samples, Rate, Channels) = (name, samples.DetachFromDisposeScope(), rate, channels);
    }

    /// <summary>A short name.</summary>
    public string Name { get; }

    /// <summary>float32 [channels, T] in the channels' units; NaN where a sample is missing. Not to be disposed.</summary>
    public Tensor Samples { get; }

    /// <summary>Samples per second.</summary>
    public double Rate { get; }

    /// <summary>What the rows are.</summary>
    public IReadOnlyList<SignalChannel> Channels { get; }

    /// <summary>Free lines of text that came with it.</summary>
    public IReadOnlyList<string> Comments { get; init; } = [];

    /// <summary>Another recording of the same channels.</summary>
    /// <param name="samples">float32 [channels, T].</param>
    public SignalRecord With(Tensor samples) => new(Name, samples, Rate, Channels) { Comments = Comments };

    /// <summary>Frees the samples.</summary>
    public void Dispose() => Samples.Dispose();
}
