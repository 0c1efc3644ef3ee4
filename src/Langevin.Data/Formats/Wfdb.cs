using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace Langevin.Data.Formats;

/// <summary>WFDB records (PhysioNet): formats 16 and 212 are read, gzipped too, and 16 is written. Signals of a file lie sample by sample side by side.</summary>
internal static class Wfdb
{
    private const int MostHeader = 1 << 20;

    public static SignalRecord Read(string path, long maxBytes)
    {
        string header = HeaderOf(path);
        var head = WfdbHeader.Parse(header, Encoding.UTF8.GetString(Source.ReadAll(header, MostHeader)));
        var parts = new List<(SignalChannel Channel, float[] Values)>();
        // The signals of one file follow each other in the header.
        for (int first = 0, count; first < head.Signals.Count; first += count)
        {
            var signal = head.Signals[first];
            count = head.Signals.Skip(first).TakeWhile(s => s.File == signal.File).Count();
            if (head.Signals.Skip(first).Take(count).Any(s => s.Format != signal.Format || s.Offset != signal.Offset))
                throw new InvalidDataException($"{header}: the signals in '{signal.File}' differ in format");
            string file = Beside(header, signal.File);
            var bytes = Source.ReadAll(file, maxBytes).AsSpan();
            if (signal.Offset > bytes.Length) throw new InvalidDataException($"{file}: shorter than the offset of {signal.Offset} bytes in the header");
            var digital = Decode(file, bytes[(int)signal.Offset..], signal.Format, head.Length * count);
            long length = digital.Length / count;
            if (length == 0) throw new InvalidDataException($"{file}: holds no samples");
            if (length * sizeof(float) * head.Signals.Count > maxBytes) throw Source.TooLong(file, maxBytes);
            int missing = signal.Format == 212 ? -2048 : short.MinValue;
            for (int s = 0; s < count; s++)
            {
                var channel = head.Signals[first + s].Channel;
                var values = new float[length];
                for (long i = 0; i < length; i++)
                {
                    int d = digital[i * count + s];
                    values[i] = d == missing ? float.NaN : (float)((d - channel.Baseline) / channel.Gain);
                }
                parts.Add((channel, values));
            }
        }
        if (parts.Select(p => p.Values.Length).Distinct().Count() > 1) throw new InvalidDataException($"{header}: the signals differ in length");
        using var scope = NewDisposeScope();
        return new(head.Name, stack([.. parts.Select(p => tensor(p.Values))]), head.Rate, [.. parts.Select(p => p.Channel)]) { Comments = head.Comments };
    }

    public static void Write(string path, SignalRecord record)
    {
        string stem = Stem(path), name = Path.GetFileName(stem);
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            throw new ArgumentException($"'{name}' is no name of a WFDB record: it has letters, digits, _ and - only", nameof(path));
        using var scope = NewDisposeScope();
        int count = record.Channels.Count, length = checked((int)record.Samples.size(1));
        var samples = record.Samples.cpu().contiguous().data<float>().ToArray();
        var bytes = new byte[2L * count * length];
        var signals = new WfdbSignal[count];
        for (int s = 0; s < count; s++)
        {
            var channel = record.Channels[s];
            int sum = 0, initial = 0;
            for (int i = 0; i < length; i++)
            {
                short value = Digital(samples[(long)s * length + i], channel);
                if (i == 0) initial = value;
                sum = unchecked(sum + value);
                BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * (i * count + s)), value);
            }
            signals[s] = new(name + ".dat", 16, 0, channel with { InitialValue = initial, Checksum = unchecked((short)sum) });
        }
        AtomicFile.WriteAllBytes(stem + ".dat", bytes);
        AtomicFile.WriteAllText(stem + ".hea", new WfdbHeader(name, record.Rate, length, signals, record.Comments).Text());
    }

    private static short Digital(float value, SignalChannel channel)
    {
        if (float.IsNaN(value)) return short.MinValue;
        double d = Math.Round(value * channel.Gain) + channel.Baseline;
        return Math.Abs(d) <= short.MaxValue ? (short)d
            : throw new ArgumentException($"{value} {channel.Unit} of channel '{channel.Name}' does not fit 16 bits at a gain of {channel.Gain} and a baseline of {channel.Baseline}: give the channel a smaller gain");
    }

    private static int[] Decode(string file, ReadOnlySpan<byte> bytes, int format, long? stated)
    {
        long there = format switch
        {
            16 => bytes.Length / 2,
            212 => bytes.Length / 3 * 2 + bytes.Length % 3 / 2,
            _ => throw new InvalidDataException($"{file}: WFDB format {format}: only 16 and 212 are read"),
        };
        long count = stated ?? there;
        if (there < count) throw new InvalidDataException($"{file}: truncated: {there:N0} of {count:N0} samples are there");
        var values = new int[count];
        if (format == 16)
            for (int i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]);
        else
            // Two samples of 12 bits in three bytes: the middle one holds the upper four of both.
            for (int i = 0; i < values.Length; i++)
            {
                int at = i / 2 * 3, raw = i % 2 == 0 ? bytes[at] | bytes[at + 1] << 8 : bytes[at + 2] | (bytes[at + 1] & 0xf0) << 4;
                values[i] = (raw & 0xfff) << 20 >> 20;
            }
        return values;
    }

    private static string HeaderOf(string path)
    {
        foreach (string candidate in new[] { Stem(path) + ".hea", Stem(path) + ".hea.gz" })
            if (File.Exists(candidate)) return candidate;
        throw new FileNotFoundException($"There is no WFDB header '{Stem(path)}.hea'.", path);
    }

    private static string Beside(string header, string file)
    {
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(header))!, file);
        return File.Exists(path) || !File.Exists(path + ".gz") ? path : path + ".gz";
    }

    private static string Stem(string path)
    {
        string plain = SignalFile.Plain(path);
        return Path.GetExtension(plain).ToLowerInvariant() is ".hea" or ".dat" or ".xyz" or ".atr" ? Path.ChangeExtension(plain, null) : plain;
    }
}
