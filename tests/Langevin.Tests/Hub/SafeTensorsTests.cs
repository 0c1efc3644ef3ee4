using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using CsCheck;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

public class SafeTensorsTests
{
    private static byte[] File(string json, byte[] data)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + header.Length);
        return bytes;
    }

    private static Tensor Sample(ScalarType type, params long[] shape)
    {
        using var generator = new Generator(7);
        var x = randn(shape, ScalarType.Float64, generator: generator) * 50;
        return type is ScalarType.ComplexFloat32 ? complex(x, x + 1).to(type) : type is ScalarType.Bool ? x > 0 : x.to(type);
    }

    public static TheoryData<ScalarType> Types() =>
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool, ScalarType.ComplexFloat32,
    ];

    [Theory, MemberData(nameof(Types))]
    public void Every_type_and_shape_comes_back(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var saved = new Dictionary<string, Tensor>
        {
            ["matrix"] = Sample(type, 3, 5), ["scalar"] = Sample(type), ["empty"] = Sample(type, 0, 4), ["transposed"] = Sample(type, 4, 6).t(),
            ["strided"] = Sample(type, 9)[TensorIndex.Slice(1, 9, 3)], ["näme \"quoted\"\n𝛂"] = Sample(type, 1),
        };
        SafeTensors.Save(folder["a.safetensors"], saved, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "ε" });
        var loaded = SafeTensors.Load(folder["a.safetensors"]);
        Assert.Equal(saved.Keys.Order(), loaded.Keys.Order());
        foreach (var (name, want) in saved)
        {
            Assert.Equal(want.dtype, loaded[name].dtype);
            Assert.Equal(want.shape, loaded[name].shape);
            Assert.True(loaded[name].eq(want).all().item<bool>(), name);
        }
        Assert.Equal("ε", SafeTensors.LoadMetadata(folder["a.safetensors"])["note"]);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_file_is_laid_out_canonically()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder["a.safetensors"];
        SafeTensors.Save(path, new Dictionary<string, Tensor>
        {
            ["b"] = tensor(new float[] { 1, 2 }), ["a"] = tensor(new float[] { 3 }), ["flag"] = tensor(new[] { true }), ["step"] = tensor(5L), ["h"] = zeros(2, ScalarType.Float16),
        }, new Dictionary<string, string> { ["format"] = "pt" });
        byte[] bytes = System.IO.File.ReadAllBytes(path);
        long length = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(
            """{"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"h":{"dtype":"F16","shape":[2],"data_offsets":[20,24]},"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[24,25]}}""",
            Encoding.UTF8.GetString(bytes, 8, (int)length).TrimEnd(' '));
        Assert.Equal(8 + length + 25, bytes.Length);
        Assert.Equal(3f, BitConverter.ToSingle(bytes, (int)(8 + length + 8)));
    }

    [Fact]
    public void Large_tensors_are_read_and_written_in_pieces()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var want = arange(0, (1 << 24) + 17, ScalarType.Int32).bitwise_and(0xff).to(ScalarType.Byte);
        SafeTensors.Save(folder["a.safetensors"], new Dictionary<string, Tensor> { ["x"] = want });
        Assert.True(SafeTensors.Load(folder["a.safetensors"])["x"].eq(want).all().item<bool>());
    }

    [Fact]
    public void Float8_becomes_float16()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        byte[] all = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        string path = folder.Write("a.safetensors", File(
            """{"m3":{"dtype":"F8_E4M3","shape":[256],"data_offsets":[0,256]},"m2":{"dtype":"F8_E5M2","shape":[256],"data_offsets":[256,512]},"m0":{"dtype":"F8_E8M0","shape":[256],"data_offsets":[512,768]}}""",
            [.. all, .. all, .. all]));
        var loaded = SafeTensors.Load(path);
        double[] m3 = loaded["m3"].to(ScalarType.Float64).data<double>().ToArray(), m2 = loaded["m2"].to(ScalarType.Float64).data<double>().ToArray();
        Assert.Equal(ScalarType.Float16, loaded["m3"].dtype);
        for (int b = 0; b < 256; b++)
        {
            // value = (−1)^s 2^(e − bias) (1 + m / 2^bits), or 2^(1 − bias) m / 2^bits when e = 0
            Assert.Equal((b & 127) == 127 ? double.NaN : Value(b, bits: 3, bias: 7), m3[b]);
            int e5 = (b >> 2) & 31, f5 = b & 3;
            Assert.Equal(e5 == 31 ? (f5 == 0 ? (b < 128 ? double.PositiveInfinity : double.NegativeInfinity) : double.NaN) : Value(b, bits: 2, bias: 15), m2[b]);
        }
        Assert.Equal((448, -448, 1.0 / 512), (m3[0x7e], m3[0xfe], m3[1]));
        Assert.Equal(1f, loaded["m0"][127].item<float>());
        Assert.Equal(MathF.ScaleB(1, -127), loaded["m0"][0].item<float>());

        static double Value(int b, int bits, int bias)
        {
            int e = (b & 127) >> bits, m = b & ((1 << bits) - 1);
            double v = e == 0 ? m * Math.Pow(2, 1 - bias - bits) : Math.Pow(2, e - bias) * (1 + m / (double)(1 << bits));
            return b < 128 ? v : -v;
        }
    }

    [Fact]
    public void Unsigned_integers_are_widened()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        byte[] data = [.. BitConverter.GetBytes((ushort)65535), .. BitConverter.GetBytes((ushort)1), .. BitConverter.GetBytes(uint.MaxValue), .. BitConverter.GetBytes((ulong)long.MaxValue)];
        const string header = """{"u16":{"dtype":"U16","shape":[2],"data_offsets":[0,4]},"u32":{"dtype":"U32","shape":[],"data_offsets":[4,8]},"u64":{"dtype":"U64","shape":[1],"data_offsets":[8,16]}}""";
        var loaded = SafeTensors.Load(folder.Write("a.safetensors", File(header, data)));
        Assert.Equal([65535, 1], loaded["u16"].data<int>().ToArray());
        Assert.Equal(uint.MaxValue, loaded["u32"].item<long>());
        Assert.Equal(long.MaxValue, loaded["u64"].item<long>());
        data[15] = 0x80;
        var e = Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder.Write("b.safetensors", File(header, data))));
        Assert.Contains("'u64'", e.Message);
    }

    [Fact]
    public void An_open_file_gives_shapes_without_reading_data()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        SafeTensors.Save(folder["a.safetensors"], new Dictionary<string, Tensor> { ["w"] = ones(2, 3), ["n"] = zeros(0, ScalarType.Int64) });
        using var file = SafeTensors.Open(folder["a.safetensors"]);
        Assert.Equal(["n", "w"], file.Names);
        Assert.Equal([2, 3], file.Shape("w"));
        Assert.Equal(("F32", ScalarType.Float32), (file.FileType("w"), file.Type("w")));
        Assert.Equal(6f, file.Read("w").sum().item<float>());
        Assert.Contains("'v'", Assert.Throws<KeyNotFoundException>(() => file.Read("v")).Message);
        Assert.Empty(file.Metadata);
    }

    [Theory]
    [InlineData("", "trailing bytes")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{\"x\":3}", "'x' is not a JSON object")]
    [InlineData("{\"x\":{\"shape\":[4],\"data_offsets\":[0,4]}}", "no dtype")]
    [InlineData("{\"x\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,4]}}", "unsupported dtype 'F4'")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,4]}}", "needs 5 bytes")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", "bad number in shape")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[4.5],\"data_offsets\":[0,4]}}", "bad number in shape")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", "bad data_offsets")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", "bad data_offsets")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}", "truncated")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", "trailing bytes")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}", "a hole")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", "an overlap")]
    [InlineData("{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", "sound JSON")]
    [InlineData("{\"x\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}", "overflows")]
    [InlineData("{\"x\":{\"dtype\":\"F64\",\"shape\":[0,4611686018427387904,4],\"data_offsets\":[0,0]}}", "overflows")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", "not a string")]
    [InlineData("{\"\\ud800\":{}}", "sound JSON")]
    [InlineData("{", "sound JSON")]
    public void Unsound_files_are_refused(string json, string message)
    {
        using var folder = new TempFolder();
        string path = folder.Write("bad.safetensors", File(json.Length == 0 ? "{}" : json, [1, 2, 3, 4]));
        var e = Assert.Throws<InvalidDataException>(() => SafeTensors.Load(path));
        Assert.Contains(message, e.Message);
        Assert.StartsWith(path, e.Message);
    }

    [Fact]
    public void A_huge_header_length_allocates_nothing()
    {
        using var folder = new TempFolder();
        foreach (ulong length in new[] { ulong.MaxValue, 1UL << 62, 1000UL })
        {
            var bytes = new byte[64];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
            Assert.Contains("beyond the end", Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder.Write("a", bytes))).Message);
        }
        Assert.Contains("too few", Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder.Write("b", new byte[7]))).Message);
        Assert.Throws<FileNotFoundException>(() => SafeTensors.Load(folder["absent"]));
    }

    [Fact]
    public void Unsound_names_and_types_are_not_written()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder["a.safetensors"];
        var x = ones(1);
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => SafeTensors.Save(path, [new("x", x), new("x", x)])).Message);
        Assert.Throws<ArgumentException>(() => SafeTensors.Save(path, [new("__metadata__", x)]));
        Assert.Contains("ComplexFloat64", Assert.Throws<ArgumentException>(() => SafeTensors.Save(path, [new("c", x.to(ScalarType.ComplexFloat64))])).Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Files_written_by_others_are_sound()
    {
        Assert.SkipUnless(Directory.Exists(Shared.Goldens), "the golden folder is absent: set LANGEVIN_SHARED to run this test");
        foreach (string path in Directory.EnumerateFiles(Shared.Goldens, "*.safetensors", SearchOption.AllDirectories))
            using (var file = SafeTensors.Open(path)) Assert.NotEmpty(file.Names);
    }

    [Fact]
    public void Damaged_files_give_InvalidDataException_and_nothing_else()
    {
        using var folder = new TempFolder();
        using (var scope = NewDisposeScope())
            SafeTensors.Save(folder["a"], new Dictionary<string, Tensor> { ["x"] = ones(2, 2), ["y"] = zeros(0, 3), ["z"] = tensor(1L) });
        byte[] sound = System.IO.File.ReadAllBytes(folder["a"]);
        // Overwrite a few bytes anywhere (mostly in the header, with JSON's own characters), and cut or extend the file.
        var edit = Gen.Select(Gen.Int[0, sound.Length - 1], Gen.OneOf(Gen.Byte, Gen.Char["{}[]\",:0123456789-e\\"].Select(c => (byte)c)));
        Gen.Select(edit.Array[1, 6], Gen.Int[-20, 20]).Sample((edits, grow) =>
        {
            var bytes = (byte[])sound.Clone();
            foreach (var (at, value) in edits) bytes[at] = value;
            Array.Resize(ref bytes, Math.Max(0, bytes.Length + Math.Min(grow, 4)));
            Refuses(folder, bytes);
        }, iter: 3000, threads: 1);
        Gen.Byte.Array[0, 200].Sample(bytes => Refuses(folder, bytes), iter: 1000, threads: 1);
    }

    private static void Refuses(TempFolder folder, byte[] bytes)
    {
        using var scope = NewDisposeScope();
        try
        {
            SafeTensors.Load(folder.Write("fuzz", bytes)); // an edit may leave a sound file
        }
        catch (InvalidDataException)
        {
        }
    }
}
