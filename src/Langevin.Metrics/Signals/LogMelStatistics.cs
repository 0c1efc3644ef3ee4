using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// A fixed number of features of a clip of any length, with no network: mean and standard deviation over its frames of the log
/// power of each mel band. They hold timbre and loudness and nothing of the order of events.
/// </summary>
/// <remarks>Clips of different lengths are given one batch a length; their rows may be joined.</remarks>
public static class LogMelStatistics
{
    /// <summary>The K means, then the K standard deviations (of the F frames, divided by F), [N, 2 K], float64.</summary>
    /// <param name="waves">[N, T] or [N, 1, T], samples in ±1, at least one window (25 ms) long.</param>
    /// <param name="sampleRate">In Hz.</param>
    /// <param name="options">Frames and bands; <see cref="MelOptions.Speech"/> of the rate, with 64 bands, where null.</param>
    public static Tensor Of(Tensor waves, double sampleRate = 16_000, MelOptions? options = null)
    {
        options ??= MelOptions.Speech(sampleRate);
        options.Validate(sampleRate);
        using var scope = NewDisposeScope();
        var clips = Waves.Signal(waves);
        long frames = clips.size(1) / options.Spectrum.Hop + 1;
        var rows = new List<Tensor>();
        foreach (var (start, count) in Distances.Blocks(clips.size(0), frames * options.Spectrum.Length))
        {
            using var block = NewDisposeScope();
            var level = MelSpectrum.Log(clips.narrow(0, start, count), sampleRate, options);
            rows.Add(cat([level.mean([1]), level.std(1, unbiased: false)], 1).MoveToOuterDisposeScope());
        }
        return cat(rows).MoveToOuterDisposeScope();
    }
}
