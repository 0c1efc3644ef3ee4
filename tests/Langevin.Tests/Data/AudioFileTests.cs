using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

/// <summary>WAV files of each width against bytes laid out by the format's definition.</summary>
public sealed class AudioFileTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    /// <summary>A RIFF file: format 1 is PCM, 3 floats; a chunk to be passed over before the samples.</summary>
    private static byte[] Wav(int format, int bits, int channels, int rate, byte[] data)
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        void Tag(string t) => w.Write(Encoding.ASCII.GetBytes(t));
        Tag("RIFF");
        w.Write(4 + 24 + 12 + 8 + data.Length);
        Tag("WAVE");
        Tag("fmt ");
        w.Write(16);
        w.Write((short)format);
        w.Write((short)channels);
        w.Write(rate);
        w.Write(rate * channels * bits / 8);
        w.Write((short)(channels * bits / 8));
        w.Write((short)bits);
        Tag("LIST");
        w.Write(4);
        Tag("INFO");
        Tag("data");
        w.Write(data.Length);
        w.Write(data);
        return stream.ToArray();
    }

    private string Put(string name, byte[] bytes)
    {
        File.WriteAllBytes(folder[name], bytes);
        return folder[name];
    }

    [Fact]
    public void Every_width_gives_the_values_the_format_defines()
    {
        // Two frames of two channels: left 0.5, −1; right 0, 0.25.
        (int Format, int Bits, Func<double, byte[]> Bytes)[] kinds =
        [
            (1, 8, v => [(byte)(128 + v * 128)]),
            (1, 16, v => BitConverter.GetBytes((short)(v * 32768))),
            (1, 24, v => BitConverter.GetBytes((int)(v * 8388608))[..3]),
            (1, 32, v => BitConverter.GetBytes((int)(v * 2147483648))),
            (3, 32, v => BitConverter.GetBytes((float)v)),
            (3, 64, v => BitConverter.GetBytes(v)),
        ];
        foreach (var (format, bits, bytes) in kinds)
        {
            byte[] data = [.. new[] { 0.5, 0, -1, 0.25 }.SelectMany(bytes)];
            var (samples, rate) = AudioFile.Load(Put("a.wav", Wav(format, bits, 2, 22050, data)));
            Assert.Equal(22050, rate);
            Assert.True(tensor(new float[,] { { 0.5f, -1 }, { 0, 0.25f } }).SameAs(samples));
        }
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        using var random = new Generator(1);
        var wave = rand([3, 1000], generator: random) * 2 - 1;
        AudioFile.Save(folder["w.wav"], wave, 16000);
        var (samples, rate) = AudioFile.Load(folder["w.wav"]);
        Assert.Equal(16000, rate);
        Assert.True(wave.SameAs(samples));
        AudioFile.Save(folder["m.wav"], wave[0], 8000);
        Assert.True(wave[0].unsqueeze(0).SameAs(AudioFile.Load(folder["m.wav"]).Samples));
        Assert.Throws<ArgumentException>(() => AudioFile.Save(folder["x.wav"], zeros(1, 2, 3), 8000));
    }

    [Fact]
    public void Damaged_files_are_refused_by_name()
    {
        byte[] good = Wav(1, 16, 1, 8000, new byte[2000]);
        byte[] negative = [.. good];
        BinaryPrimitives.WriteInt16LittleEndian(negative.AsSpan(22), 0);
        foreach (byte[] bytes in new[] { [], "RIFF"u8.ToArray(), good[..30], new byte[100], Wav(1, 16, 1, 8000, []), Wav(85, 16, 1, 8000, new byte[100]), negative })
        {
            var e = Assert.ThrowsAny<InvalidDataException>(() => AudioFile.Load(Put("bad.wav", bytes)));
            Assert.Contains("bad.wav", e.Message, StringComparison.Ordinal);
        }
        Assert.Contains("limit", Assert.Throws<InvalidDataException>(() => AudioFile.Load(Put("long.wav", good), maxBytes: 100)).Message, StringComparison.Ordinal);
        // Every mutation is read or refused, never anything else.
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            byte[] mutated = [.. good];
            for (int k = 0; k < 3; k++) mutated[random.Next(60)] = (byte)random.Next(256);
            try { AudioFile.Load(Put("m.wav", mutated)).Samples.Dispose(); }
            catch (InvalidDataException) { }
        }
    }

    [Fact]
    public void Spoken_digits_are_read()
    {
        using var zip = ZipFile.OpenRead(Shared.Data("speech/free-spoken-digits.zip"));
        var entry = zip.Entries.First(e => e.Name.EndsWith(".wav", StringComparison.Ordinal));
        entry.ExtractToFile(folder["digit.wav"]);
        var (samples, rate) = AudioFile.Load(folder["digit.wav"]);
        Assert.Equal((8000, 1), (rate, samples.size(0)));
        Assert.Equal((entry.Length - 44) / 2, samples.size(1));
    }
}
