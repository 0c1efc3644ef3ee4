using System.Text;
using Langevin.Data;
using static Langevin.Tests.Data.FormatBytes;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class SignalFileTests
{
    private static int[] Digital(SignalRecord record, int channel, int missing)
    {
        using var scope = NewDisposeScope();
        var c = record.Channels[channel];
        return [.. record.Samples[channel].data<float>().ToArray().Select(v => float.IsNaN(v) ? missing : (int)Math.Round(v * c.Gain) + c.Baseline)];
    }

    // The header states the first value of every signal and the sum of all in 16 bits: written by the recorders, not here.
    [Theory]
    [InlineData("ecg/100.hea", 2, 650_000, 360.0, -2048)]
    [InlineData("ecg/100.dat", 2, 650_000, 360.0, -2048)]
    [InlineData("ecg/s0010_re", 15, 38_400, 1000.0, -32768)]
    [InlineData("ecg/v102s.hea", 4, 75_000, 250.0, -2048)]
    public void Recordings_have_the_first_value_and_the_checksum_of_their_headers(string file, int channels, long length, double rate, int missing)
    {
        string folder = Shared.Data("ecg");
        using var record = SignalFile.Load(Path.Combine(folder, "..", file));
        Assert.Equal((channels, length, rate), (record.Channels.Count, record.Samples.size(1), record.Rate));
        for (int c = 0; c < channels; c++)
        {
            int[] digital = Digital(record, c, missing);
            Assert.Equal(record.Channels[c].InitialValue, digital[0]);
            Assert.Equal(record.Channels[c].Checksum, (short)digital.Sum());
        }
    }

    [Fact]
    public void Gzipped_signals_are_found_beside_a_header_that_names_them_plain()
    {
        string folder = Shared.Data("ecg");
        using var record = SignalFile.Load(Path.Combine(folder, "rec118_clean"));
        Assert.Equal([2L, 108_000], record.Samples.shape);
        Assert.Equal(["MLII", "V1"], record.Channels.Select(c => c.Name));
        Assert.StartsWith("MIT-BIH record 118", record.Comments[0], StringComparison.Ordinal);
        // The header gives a gain of 200 with the converter's 1024 taken off, and a zero at 1024.
        Assert.Equal((200.0, 1024), (record.Channels[0].Gain, record.Channels[0].Baseline));
    }

    [Fact]
    public void What_is_read_is_what_is_written()
    {
        using var folder = new TempFolder();
        using var generator = new Generator(3);
        SignalChannel[] channels = [new("I") { Gain = 1000, Baseline = -12 }, new("aVR", "uV") { Gain = 0.25 }];
        int[] digital = [.. Enumerable.Range(0, 2 * 501).Select(i => (i * 7919 % 4001) - 2000)];
        float[] values = [.. digital.Select((d, i) => i == 77 ? float.NaN : i < 501 ? (float)((d + 12) / 1000.0) : (float)(d / 0.25))];
        using var record = new SignalRecord("r", tensor(values).view(2, 501), 257.5, channels) { Comments = ["one", "two words"] };
        foreach (string name in new[] { "a.hea", "b.dat", "c", "d.csv", "e.tsv" })
        {
            SignalFile.Save(folder[name], record);
            using var again = SignalFile.Load(folder[name]);
            Assert.Equal((257.5, "one|two words"), (again.Rate, string.Join('|', again.Comments)));
            Assert.Equal(channels.Select(c => (c.Name, c.Unit)), again.Channels.Select(c => (c.Name, c.Unit)));
            Assert.Equal(values, again.Samples.flatten().data<float>().ToArray());
            if (name.EndsWith("sv", StringComparison.Ordinal)) continue;
            Assert.Equal(channels.Select(c => (c.Gain, c.Baseline)), again.Channels.Select(c => (c.Gain, c.Baseline)));
            Assert.Equal((short)digital[501..].Sum(), again.Channels[1].Checksum!.Value);
            Assert.Equal(digital[0], again.Channels[0].InitialValue!.Value);
        }
    }

    [Fact]
    public void Twelve_bits_are_packed_two_in_three_bytes()
    {
        using var folder = new TempFolder();
        // 1 and −1, then 2047 and −2048 (missing), then an odd one.
        folder.Write("p.dat", [0x01, 0xf0, 0xff, 0xff, 0x87, 0x00, 0x34, 0x02]);
        string header = folder.Write("p.hea", "# before\np 1 100 5\np.dat 212 1(0)/mV\n# after");
        using var record = SignalFile.Load(header);
        Assert.Equal([1f, -1, 2047, float.NaN, 0x234], record.Samples.flatten().data<float>().ToArray());
        Assert.Equal(["before", "after"], record.Comments);
    }

    [Theory]
    [InlineData("time (ms),a [uV]\n0,1\n4,2\n8,-3.5e1\n", 250.0, "a", "uV")]
    [InlineData("# rate: 250 Hz\r\nlead II (uV)\r\n1\r\n2\r\n-35\r\n", 250.0, "lead II", "uV")]
    [InlineData("# rate 250\n1\n2\n-35\n", 250.0, "signal 1", "mV")]
    [InlineData("t;a\n0;1\n0.004;2\n0.008;-35\n", 250.0, "a", "mV")]
    [InlineData("Time (s)\ta\n10.000\t1\n10.003\t2\n10.006\t-35\n", 333.333, "a", "mV")]
    public void Tables_of_others_are_read(string text, double rate, string name, string unit)
    {
        using var folder = new TempFolder();
        using var record = SignalFile.Load(folder.Write("a.csv", text));
        Assert.Equal((rate, name, unit), (record.Rate, record.Channels[0].Name, record.Channels[0].Unit));
        Assert.Equal([1f, 2, -35], record.Samples.flatten().data<float>().ToArray());
    }

    public static TheoryData<string, string, string> Damaged => new()
    {
        { "a.csv", "a,b\n1,2\n", "how many samples a second" },
        { "a.csv", "time,a\n0,1\n1,x\n", "row 3, column 2: 'x' is not a finite number" },
        { "a.csv", "time,a\n0,1\n1,2\n9,3\n", "not evenly spaced" },
        { "a.csv", "time,a\n0,1\n1\n", "row 3 has 1 fields" },
        { "a.csv", "", "holds no samples" },
        { "a.hea", "", "not a WFDB header" },
        { "a.hea", "a/3 2 360\n", "several segments" },
        { "a.hea", "a 2 360 5\na.dat 16\n", "2 signals are announced, 1 are described" },
        { "a.hea", "a 1 360 5\na.dat 8\n", "format 8: only 16 and 212" },
        { "a.hea", "a 1 360 5\n../a.dat 16\n", "only files beside the header" },
        { "a.hea", "a 1 360 5\na.dat 16x4\n", "4 samples in a frame" },
        { "a.hea", "a 1 0 5\na.dat 16\n", "a rate of 0" },
        { "a.hea", "a 1 360 99999999999\na.dat 16\n", "not a whole number in range" },
        { "a.hea", "a 1 360 5\na.dat 16+9\n", "shorter than the offset" },
        { "a.hea", "a 1 360 5\na.dat 16\n", "truncated: 2 of 5" },
    };

    [Theory, MemberData(nameof(Damaged))]
    public void Damage_is_said_in_one_line(string name, string text, string message)
    {
        using var folder = new TempFolder();
        folder.Write("a.dat", [1, 2, 3, 4]);
        string path = folder.Write(name, Encoding.UTF8.GetBytes(text));
        string said = Assert.Throws<InvalidDataException>(() => SignalFile.Load(path)).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }

    [Fact]
    public void A_header_or_a_gain_that_does_not_fit_is_said()
    {
        using var folder = new TempFolder();
        Assert.Contains("no WFDB header", Assert.Throws<FileNotFoundException>(() => SignalFile.Load(folder["b.dat"])).Message);
        using var record = new SignalRecord("r", tensor(new[] { 200f }).view(1, 1), 360, [new("a")]);
        Assert.Contains("does not fit 16 bits", Assert.Throws<ArgumentException>(() => SignalFile.Save(folder["r.hea"], record)).Message);
        Assert.Contains("letters, digits", Assert.Throws<ArgumentException>(() => SignalFile.Save(folder["r 1.hea"], record)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SignalRecord("r", zeros(1, 3), 0, [new("a")]));
        Assert.Throws<ArgumentException>(() => new SignalRecord("r", zeros(2, 3), 1, [new("a")]));
        Assert.Contains("above the limit", Assert.Throws<InvalidDataException>(() => SignalFile.Load(folder.Write("z.csv.gz", Gzip(Encoding.UTF8.GetBytes("# rate: 1\n" + new string('1', 9000)))), 1000)).Message);
    }
}
