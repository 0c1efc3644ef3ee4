using System.Formats.Tar;
using System.Text;
using Langevin.Data;
using Langevin.Data.Formats;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class PhysioNet2012Tests
{
    private const string Head = "Time,Parameter,Value\n";

    // Three stays as .tar.xz, written by xz-utils 5.4: the same as Stays.
    private const string Xz = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/APRdADmZSusBbs9teyWskFgcsNiQIIpdTK5ghA3E+u6vKGgM3e1HJIOfib6yv84+gDFE8AwVD0E/ddx3hiDlQ1t5iqc4UFsZf40YGabu9ciihL/E6ufgF6LbS9y4G6F3/Sut3b3iHYnYKlcNmO1bQoiQ3leILWoYw0Wf0UfQ02QX/aX/xyKijloLSZHlOc2JwcwMh5eUEKkUGKqQtpLzUXtk1Zt4Ks93Oe9SnE8nAa9F1wZqcpQMhFE3AitRZcQQuz+bN4d31kYwifWBAG0vTquaoUkpMPJuAhjSlAO798klMK1hryvoSvM0Pw0C6uJGk0iPrL1prQAAkPggV7ACkG0AAZACgFAAAHUJFiWxxGf7AgAAAAAEWVo=";

    private static readonly (string Name, string Text)[] Stays =
    [
        ("132539.txt", Head + "00:00,RecordID,132539\n00:00,Age,54\n00:07,GCS,15\n00:07,HR,73\n00:37,HR,77\n01:37,HR,60\n01:37,pH,7.4\n47:59,HR,65\n48:00,HR,99\n"),
        ("132540.txt", Head + "00:00,RecordID,132540\n00:00,Age,76\n"),
        ("132541.txt", Head + "00:00,RecordID,132541\n02:10,HR,80\n03:10,,-1\n03:10,HR,82\n"),
    ];

    private static byte[] Tar()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            foreach (var (name, text) in Stays.Reverse())
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "set-a/" + name) { DataStream = new MemoryStream(Encoding.ASCII.GetBytes(text)) });
        return stream.ToArray();
    }

    [Theory, InlineData("folder"), InlineData("set-a.tar"), InlineData("set-a.tar.gz"), InlineData("set-a.tar.xz")]
    public void Stays_are_read_from_folders_and_archives(string form)
    {
        using var folder = new TempFolder();
        string path = form switch
        {
            "set-a.tar" => folder.Write(form, Tar()),
            "set-a.tar.gz" => folder.Write(form, FormatBytes.Gzip(Tar())),
            "set-a.tar.xz" => folder.Write(form, Convert.FromBase64String(Xz)),
            _ => folder.Path,
        };
        if (form == "folder")
            foreach (var (name, text) in Stays) folder.Write(name, text);
        using var scope = NewDisposeScope();
        using var set = PhysioNet2012.Open(path, missing: 0.25);
        // 132540 has none of the measurements; the last value of an hour counts, and 48:00 is past the end.
        Assert.Equal([2, 35, 48], set.Values.shape);
        Assert.Equal(7, set.Observed.sum().item<float>());
        Assert.Equal(1, set.Judged.sum().item<float>()); // ⌊5/4⌋ of the first, ⌊2/4⌋ of the second
        double[] heart = [77, 60, 65, 80, 82];
        double mean = heart.Average(), std = Math.Sqrt(heart.Average(v => (v - mean) * (v - mean)));
        Assert.Equal(mean, set.Mean[1], 1e-12);
        Assert.Equal(std, set.Std[1], 1e-12);
        Assert.Equal((77 - mean) / std, set.Values[0, 1, 0].item<float>(), 1e-6);
        Assert.Equal((65 - mean) / std, set.Values[0, 1, 47].item<float>(), 1e-6);
        Assert.Equal((82 - mean) / std, set.Values[1, 1, 3].item<float>(), 1e-6);
        Assert.Equal(0, set.Values[0, 1, 2].item<float>());
        Assert.Equal("pH", set.FeatureNames[7]);
        using var second = set.Take([1]);
        Assert.True(second.Values.SameAs(set.Values[1..2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take([2]));
    }

    [Theory]
    [InlineData("Time;Parameter;Value\n", "row 1")]
    [InlineData(Head + "00:07,HR\n", "row 2 has 2 fields")]
    [InlineData(Head + "00:07,HR,73\nnoon,HR,73\n", "row 3: the time")]
    [InlineData(Head + "00:07,HR,fast\n", "row 2: the value")]
    [InlineData(Head + "00:07,Age,54\n", "any of the measurements")]
    public void Unsound_stays_are_refused_with_a_reason(string text, string reason)
    {
        using var folder = new TempFolder();
        folder.Write("132539.txt", text);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => PhysioNet2012.Open(folder.Path)).Message);
    }

    [Fact]
    public void Unsound_archives_are_refused_with_a_reason()
    {
        using var folder = new TempFolder();
        Assert.Throws<FileNotFoundException>(() => PhysioNet2012.Open(folder["none.tar"]));
        Assert.Contains("no stay", Assert.Throws<InvalidDataException>(() => PhysioNet2012.Open(Directory.CreateDirectory(folder["empty"]).FullName)).Message);
        byte[] xz = Convert.FromBase64String(Xz);
        foreach (int at in new[] { 40, 120, 200 })
        {
            byte[] damaged = [.. xz];
            damaged[at] ^= 0x55;
            // Damage is found by a check or makes a text that is no stay: never anything but this exception.
            Record.Exception(() => PhysioNet2012.Open(folder.Write("damaged.tar.xz", damaged)).Dispose()).ShouldBeInvalidDataOrNothing();
        }
        Record.Exception(() => PhysioNet2012.Open(folder.Write("cut.tar.xz", xz[..150])).Dispose()).ShouldBeInvalidDataOrNothing();
        Assert.Contains("limit", Assert.Throws<InvalidDataException>(() => PhysioNet2012.Open(folder.Write("set.tar", Tar()), maxBytes: 100)).Message);
    }

    // Counts and sums that CSDI's own procedure gives under NumPy 1.24, seed 1.
    [Fact]
    public void The_real_set_has_the_original_s_masks_and_folds()
    {
        using var scope = NewDisposeScope();
        using var set = PhysioNet2012.Open(Shared.Data("physionet2012/set-a.tar.xz"));
        Assert.Equal(3997, set.Count);
        Assert.Equal(1_234_395, set.Observed.sum(type: ScalarType.Float64).item<double>());
        Assert.Equal(1_112_757, set.Given.sum(type: ScalarType.Float64).item<double>());
        Assert.Equal(86.74803288557331, set.Mean[1], 1e-9);
        Assert.Equal(17.81010053386091, set.Std[1], 1e-9);
        var weight = arange(1, 36, ScalarType.Float64).unsqueeze(1) * arange(1, 49, ScalarType.Float64);
        Assert.Equal(47_875_885, (set.Judged * weight).sum().item<double>());
        Assert.Equal(10_991, (set.Judged[100] * weight).sum().item<double>());
        Assert.Equal(1890757.7312043416, (set.Values * weight).sum().item<double>(), 0.5);
        var (train, validation, test) = PhysioNet2012.Fold(set.Count, 0);
        Assert.Equal([2797, 401, 799], [train.Length, validation.Length, test.Length]);
        Assert.Equal([200, 2861, 610, 1918, 3561], test[..5]);
        Assert.Equal([2243, 1996, 377, 659, 3829], train[..5]);
        Assert.Equal([1425, 1838, 3114, 1976, 2960], validation[..5]);
        Assert.Equal([1370, 456, 3173], [train[^1], validation[^1], test[^1]]);
        using var held = set.Take(test);
        Assert.Equal(24_254, held.Judged.sum().item<float>());
        Assert.Equal(17229.2918232526, (held.Values.to(ScalarType.Float64) * held.Judged).abs().sum().item<double>(), 0.01);
    }

    [Fact]
    public void Folds_part_the_stays()
    {
        for (int fold = 0; fold < 5; fold++)
        {
            var (train, validation, test) = PhysioNet2012.Fold(103, fold);
            Assert.Equal(Enumerable.Range(0, 103), train.Concat(validation).Concat(test).Order());
            Assert.Equal(72, train.Length);
        }
        Assert.Equal(Enumerable.Range(0, 103), Enumerable.Range(0, 5).SelectMany(f => PhysioNet2012.Fold(103, f).Test).Order());
    }
}

file static class Expect
{
    public static void ShouldBeInvalidDataOrNothing(this Exception? thrown)
    {
        if (thrown is not null) Assert.IsType<InvalidDataException>(thrown);
    }
}
