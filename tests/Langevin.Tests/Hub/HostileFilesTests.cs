using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Langevin.Data.Formats;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Files from outside that lie: none ends the process, takes long, or takes memory beyond its own size.</summary>
public class HostileFilesTests
{
    private const long Allowed = 64L << 20;

    // Reads a file and lets what it gives be looked at; a refusal is one kind of exception.
    private static bool IsRead(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        using var scope = NewDisposeScope();
        long before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        bool sound;
        try
        {
            var tensors = Path.GetExtension(path) switch { ".safetensors" => SafeTensors.Load(path), ".npz" => Npy.ReadZip(path), _ => TorchFile.Load(path) };
            foreach (var t in tensors.Values) _ = t.numel();
            Assert.True(tensors.Values.Sum(t => t.is_contiguous() ? 0 : t.numel()) == 0);
            sound = true;
        }
        catch (InvalidDataException) { sound = false; }
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed.TotalSeconds:f1} s"); // a second on a quiet machine
        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(taken <= bytes.Length + Allowed, $"{taken:n0} bytes for a file of {bytes.Length:n0}");
        return sound;
    }

    private static byte[] Sound(string kind)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        switch (kind)
        {
            case ".safetensors":
                string path = folder["a.safetensors"];
                SafeTensors.Save(path, new Dictionary<string, Tensor> { ["weight"] = arange(12, float32).view(3, 4), ["bias"] = ones(4) }, new Dictionary<string, string> { ["format"] = "pt" });
                return File.ReadAllBytes(path);
            case ".npz":
                using (var memory = new MemoryStream())
                {
                    using (var zip = new ZipArchive(memory, ZipArchiveMode.Create))
                    {
                        using var entry = zip.CreateEntry("x.npy").Open();
                        byte[] header = Encoding.ASCII.GetBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".PadRight(117) + "\n");
                        entry.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. new byte[48]]);
                    }
                    return memory.ToArray();
                }
            case var pickle when pickle.EndsWith(".pkl", StringComparison.Ordinal): return File.ReadAllBytes(PickleTests.File(pickle));
            default: return Zip(Pickle.Weights((0, [3, 4], [4, 1])), 12);
        }
    }

    private static byte[] Zip(byte[] pickle, int elements, CompressionLevel level = CompressionLevel.NoCompression, string name = "archive")
    {
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create))
            foreach (var (entry, bytes) in new[] { ("data.pkl", pickle), ("byteorder", "little"u8.ToArray()), ("data/0", new byte[4 * elements]) })
            {
                using var stream = zip.CreateEntry($"{name}/{entry}", level).Open();
                stream.Write(bytes);
            }
        return memory.ToArray();
    }

    /// <summary>The pickle language by hand.</summary>
    private sealed class Pickle
    {
        private readonly MemoryStream bytes = new();

        public Pickle() => Raw([0x80, 2]);

        public Pickle Raw(params byte[] more) { bytes.Write(more); return this; }

        public Pickle Text(string text) { byte[] utf8 = Encoding.UTF8.GetBytes(text); return Raw((byte)'X').Raw(BitConverter.GetBytes(utf8.Length)).Raw(utf8); }

        public Pickle Number(long value) { var b = new byte[8]; BinaryPrimitives.WriteInt64LittleEndian(b, value); return Raw(0x8a, 8).Raw(b); }

        public Pickle Class(string module, string name) => Raw([(byte)'c', .. Encoding.ASCII.GetBytes($"{module}\n{name}\n")]);

        public Pickle Numbers(IEnumerable<long> values)
        {
            Raw((byte)'(');
            foreach (long value in values) Number(value);
            return Raw((byte)'t');
        }

        // _rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())
        public Pickle Tensor(long offset, long[] shape, long[] strides, string storage = "FloatStorage", long elements = 12) => Class("torch._utils", "_rebuild_tensor_v2").Raw((byte)'(')
            .Raw((byte)'(').Text("storage").Class("torch", storage).Text("0").Text("cpu").Number(elements).Raw((byte)'t', (byte)'Q')
            .Number(offset).Numbers(shape).Numbers(strides).Raw(0x89).Class("collections", "OrderedDict").Raw((byte)')', (byte)'R', (byte)'t', (byte)'R');

        public byte[] End() { Raw((byte)'.'); return bytes.ToArray(); }

        public static byte[] Weights(params (long Offset, long[] Shape, long[] Strides)[] tensors)
        {
            var pickle = new Pickle().Raw((byte)'}', (byte)'(');
            for (int i = 0; i < tensors.Length; i++) pickle.Text($"w{i}").Tensor(tensors[i].Offset, tensors[i].Shape, tensors[i].Strides);
            return pickle.Raw((byte)'u').End();
        }
    }

    [Theory, InlineData(".safetensors"), InlineData(".pt"), InlineData(".npz"), InlineData("numpy-2.pkl"), InlineData("numpy-5.pkl"), InlineData("torch-5.pkl"), InlineData("persistent.pkl")]
    public void A_file_that_was_changed_anywhere_is_read_or_refused(string kind)
    {
        using var folder = new TempFolder();
        byte[] sound = Sound(kind);
        Assert.True(IsRead(folder["sound" + kind], sound));
        var random = new Random(20261130);
        int refused = 0;
        for (int i = 0; i < 350; i++)
        {
            byte[] bytes = [.. sound];
            for (int change = random.Next(1, 6); change > 0 && bytes.Length > 0; change--)
            {
                int at = random.Next(bytes.Length);
                switch (random.Next(5))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 2: bytes = bytes[..at]; break;
                    case 3: bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 16))..]]; break;
                    default: bytes = [.. bytes[..at], .. Enumerable.Repeat((byte)random.Next(256), random.Next(1, 64)), .. bytes[at..]]; break;
                }
            }
            if (!IsRead(folder["changed" + kind], bytes)) refused++;
        }
        Assert.InRange(refused, kind == "persistent.pkl" ? 60 : 175, 350); // of that one most is source, which may say anything
    }

    public static TheoryData<string> Attacks => [.. Pickles().Keys, "a compressed storage", "a storage that claims more than the file has", "a name that climbs", "legacy that claims a terabyte", "legacy cut short", "storages within storages", "an array of a terabyte", "no zip at all"];

    private static Dictionary<string, byte[]> Pickles()
    {
        var attacks = new Dictionary<string, byte[]>
        {
            ["os.system"] = new Pickle().Class("os", "system").Raw((byte)'(').Text("touch owned").Raw((byte)'t', (byte)'R').End(),
            ["builtins.eval"] = new Pickle().Class("builtins", "eval").Raw((byte)'(').Text("1").Raw((byte)'t', (byte)'R').End(),
            ["a class by name alone, called later"] = new Pickle().Text("posix").Text("system").Raw(0x93).Raw((byte)'(').Text("true").Raw((byte)'t', (byte)'R').End(),
            ["an instance by INST"] = new Pickle().Raw([(byte)'(', (byte)'i', .. "os\nsystem\n"u8]).End(),
            ["an object by NEWOBJ"] = new Pickle().Class("subprocess", "Popen").Raw((byte)')', 0x81).End(),
            ["an extension registry"] = new Pickle().Raw(0x82, 1).End(),
            ["a list that holds itself"] = new Pickle().Raw((byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a').End(),
            ["nesting without end"] = new Pickle().Raw([.. Enumerable.Repeat((byte)']', 100_000), .. Enumerable.Repeat((byte)'a', 99_999)]).End(),
            ["lists that double thirty times"] = Doubling(30),
            ["a million lists"] = new Pickle().Raw([.. Enumerable.Repeat((byte)']', 1_000_000)]).End(),
            ["a text of two gigabytes"] = new Pickle().Raw((byte)'X').Raw(BitConverter.GetBytes(int.MaxValue)).End(),
            ["a text of negative length"] = new Pickle().Raw((byte)'X').Raw(BitConverter.GetBytes(-1)).End(),
            ["a pop from nothing"] = new Pickle().Raw((byte)'0').End(),
            ["a tuple without a mark"] = new Pickle().Raw((byte)'t').End(),
            ["a memory that was never filled"] = new Pickle().Raw((byte)'h', 9).End(),
            ["a tensor of nothing"] = new Pickle().Class("torch._utils", "_rebuild_tensor_v2").Raw((byte)')', (byte)'R').End(),
            ["numbers where none are"] = new Pickle().Class("torch._utils", "_rebuild_tensor_v2").Raw((byte)'(', (byte)'N', (byte)'N', (byte)'N', (byte)'N', (byte)'t', (byte)'R').End(),
            ["beyond its storage"] = Pickle.Weights((8, [3, 4], [4, 1])),
            ["before its storage"] = Pickle.Weights((-4, [3, 4], [4, 1])),
            ["a negative size"] = Pickle.Weights((0, [-3, 4], [4, 1])),
            ["a negative stride"] = Pickle.Weights((11, [3], [-1])),
            ["sizes that overflow"] = Pickle.Weights((0, [1L << 40, 1L << 40, 0], [0, 0, 0])),
            ["one number, a terabyte of it"] = Pickle.Weights((0, [1L << 38], [0])),
            ["a hundred dimensions"] = Pickle.Weights((0, [.. Enumerable.Repeat(1L, 100)], [.. Enumerable.Repeat(1L, 100)])),
            ["shape and strides of two lengths"] = Pickle.Weights((0, [3, 4], [1])),
            ["an unknown element type"] = new Pickle().Tensor(0, [3, 4], [4, 1], "EvilStorage").End(),
            ["a storage of other length"] = new Pickle().Tensor(0, [3, 4], [4, 1], elements: 1L << 40).End(),
            ["no end"] = new Pickle().Raw((byte)']').End()[..^1],
        };
        return attacks;

        static byte[] Doubling(int times)
        {
            var pickle = new Pickle().Raw((byte)']', (byte)'q', 0);
            for (byte i = 0; i < times; i++) pickle.Raw((byte)']', (byte)'q', (byte)(i + 1), (byte)'(', (byte)'h', i, (byte)'h', i, (byte)'e');
            return pickle.End();
        }
    }

    [Theory, MemberData(nameof(Attacks))]
    public void An_attack_is_refused(string attack)
    {
        using var folder = new TempFolder();
        var legacy = new byte[] { 0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e };
        byte[] preamble = [.. legacy, .. new Pickle().Number(1001).End(), .. new Pickle().Raw((byte)'}').End()];
        byte[] Older(byte[] pickle) => [.. preamble, .. pickle, .. new Pickle().Raw((byte)']').End()];
        byte[] bare = [.. preamble, .. new Pickle().Raw((byte)'(').Text("storage").Class("torch", "FloatStorage").Text("0").Text("cpu").Number(1).Raw((byte)'t', (byte)'Q').End(),
            .. new Pickle().Raw((byte)']').Text("0").Raw((byte)'a').End(), .. BitConverter.GetBytes(1L), .. new byte[4]];
        byte[] bytes = attack switch
        {
            "a compressed storage" => Zip(Pickle.Weights((0, [1 << 22], [1])), 1 << 22, CompressionLevel.SmallestSize),
            "a storage that claims more than the file has" => Claiming(Zip(Pickle.Weights((0, [3, 4], [4, 1])), 12)),
            "a name that climbs" => Zip(new Pickle().Raw((byte)']').End(), 1, name: "../../x")[..^30],
            "legacy that claims a terabyte" => [.. preamble, .. new Pickle().Tensor(0, [3, 4], [4, 1], elements: 1L << 38).End(), .. new Pickle().Raw((byte)']').Text("0").Raw((byte)'a').End(), .. BitConverter.GetBytes(1L << 38)],
            "legacy cut short" => preamble[..20],
            "storages within storages" => Within(Older(Within(bare))),
            "an array of a terabyte" => new Pickle().Raw(0x8e).Raw(BitConverter.GetBytes(1L << 40)).End(),
            "no zip at all" => "PK\x03\x04 and nothing more"u8.ToArray(),
            _ => Zip(Pickles()[attack], 12),
        };
        Assert.False(IsRead(folder["attack.pt"], bytes));
        Assert.True(IsRead(folder["sound.pt"], Within(bare))); // one within another is what PyTorch writes
        Assert.False(File.Exists("owned"));
    }

    // A storage whose bytes are a file.
    private static byte[] Within(byte[] file) =>
        new Pickle().Class("torch.storage", "_load_from_bytes").Raw((byte)'B').Raw(BitConverter.GetBytes(file.Length)).Raw(file).Raw(0x85, (byte)'R').End();

    // The length of data/0 in the central directory, made a gigabyte.
    private static byte[] Claiming(byte[] zip)
    {
        for (int i = zip.Length - 46; i >= 0; i--)
            if (zip.AsSpan(i, 4).SequenceEqual("PK\x01\x02"u8) && zip.AsSpan(i + 46, 14).SequenceEqual("archive/data/0"u8))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(zip.AsSpan(i + 20), 1 << 30);
                BinaryPrimitives.WriteUInt32LittleEndian(zip.AsSpan(i + 24), 1 << 30);
                return zip;
            }
        throw new InvalidOperationException("no such entry");
    }

    [Fact]
    public void Tensors_of_one_storage_come_back_with_their_values()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        byte[] zip = Zip(Pickle.Weights((0, [3, 4], [4, 1]), (0, [4, 3], [1, 4]), (5, [2], [2]), (3, [], [])), 12);
        string path = folder["shared.pt"];
        // 0, 1, 2, ... in place of zeros.
        byte[] values = [.. Enumerable.Range(0, 12).SelectMany(i => BitConverter.GetBytes((float)i))];
        int at = zip.AsSpan().IndexOf("archive/data/0"u8) + 14;
        while (!zip.AsSpan(at, 48).SequenceEqual(new byte[48])) at++;
        values.CopyTo(zip, at);
        RewriteChecksums(zip, path);
        var read = TorchFile.Load(path);
        Assert.Equal([0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], read["w0"].data<float>().ToArray());
        Assert.Equal([0f, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], read["w1"].data<float>().ToArray());
        Assert.Equal([5f, 7], read["w2"].data<float>().ToArray());
        Assert.Equal(3, read["w3"].item<float>());
    }

    // Unpacked and packed again.
    private static void RewriteChecksums(byte[] zip, string path)
    {
        using var target = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        using var source = new ZipArchive(new MemoryStream(zip));
        foreach (var entry in source.Entries)
        {
            using var to = target.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
            int at = zip.AsSpan().IndexOf(Encoding.ASCII.GetBytes(entry.FullName)) + entry.FullName.Length;
            int extra = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at - entry.FullName.Length - 2));
            to.Write(zip, at + extra, (int)entry.Length);
        }
    }
}
