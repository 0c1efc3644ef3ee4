using NAudio.Wave;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>One WAV file as a tensor.</summary>
public static class AudioFile
{
    private const int Chunk = 1 << 16;

    /// <summary>Reads a WAV file: PCM of 8 to 32 bits or IEEE floats, any number of channels and any rate.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Limit on the bytes of the samples in memory.</param>
    /// <returns>float32 [channels, samples] in [−1, 1] (floats as they stand), the caller's; and samples per second.</returns>
    /// <exception cref="InvalidDataException">Not WAV, of another encoding, truncated, or above the limit.</exception>
    public static (Tensor Samples, int Rate) Load(string path, long maxBytes = int.MaxValue)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var reader = new WaveFileReader(file);
            var format = reader.WaveFormat;
            if (format.Channels < 1 || format.SampleRate < 1) throw new InvalidDataException($"{path}: a WAV file of {format.Channels} channels at {format.SampleRate} Hz");
            long frames = reader.SampleCount;
            if (frames < 1) throw new InvalidDataException($"{path}: holds no samples");
            if (frames * format.Channels * sizeof(float) > maxBytes) throw new InvalidDataException($"{path}: {frames:N0} samples of {format.Channels} channels are above the limit of {maxBytes:N0} bytes");
            var values = new float[frames * format.Channels];
            var samples = reader.ToSampleProvider();
            int read = 0;
            for (int n = 1; n > 0 && read < values.Length; read += n) n = samples.Read(values.AsSpan(read, Math.Min(Chunk * format.Channels, values.Length - read)));
            if (read < values.Length) throw new InvalidDataException($"{path}: truncated: {read / format.Channels:N0} of {frames:N0} samples are there");
            using var scope = NewDisposeScope();
            return (tensor(values).view(frames, format.Channels).t().contiguous().MoveToOuterDisposeScope(), format.SampleRate);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or EndOfStreamException or InvalidOperationException or NotSupportedException or OverflowException)
        {
            throw new InvalidDataException($"{path}: not a WAV file that can be read: {e.Message}", e);
        }
    }

    /// <summary>Writes 32-bit float samples.</summary>
    /// <param name="path">The file; appears only when whole.</param>
    /// <param name="samples">[channels, samples] or [samples], in [−1, 1].</param>
    /// <param name="rate">Samples per second.</param>
    public static void Save(string path, Tensor samples, int rate)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 1);
        if (samples.dim() is not (1 or 2) || samples.numel() == 0) throw new ArgumentException($"expected samples [channels, samples] or [samples], got [{string.Join(", ", samples.shape)}]", nameof(samples));
        using var scope = NewDisposeScope();
        var frames = (samples.dim() == 1 ? samples.unsqueeze(0) : samples).detach().cpu().to(ScalarType.Float32).t().contiguous();
        float[] values = frames.data<float>().ToArray();
        AtomicFile.Write(path, stream =>
        {
            using var memory = new MemoryStream();
            using (var writer = new WaveFileWriter(memory, WaveFormat.CreateIeeeFloatWaveFormat(rate, (int)frames.size(1)))) writer.WriteSamples(values, 0, values.Length);
            stream.Write(memory.ToArray());
        });
    }

    /// <summary>Whether a name ends as a WAV file's does.</summary>
    public static bool HasAudioExtension(string path) => Path.GetExtension(path).ToLowerInvariant() is ".wav" or ".wave";
}
