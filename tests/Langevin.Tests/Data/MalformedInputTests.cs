using System.Text;
using Langevin.Data;
using static Langevin.Tests.Data.FormatBytes;

namespace Langevin.Tests.Data;

/// <summary>Bad input of every kind: each gives one line that names the file, the fault and, where there is one, the remedy.</summary>
public class MalformedInputTests
{
    private sealed record Case(Func<TempFolder, string> Make, string Message, DataOptions? Options = null);

    private static byte[] Png(int side, int height = 0)
    {
        using var image = TorchSharp.torch.zeros(1, height == 0 ? side : height, side);
        return ImageGrid.Png(image);
    }

    private static byte[] Edited(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["path missing"] = new(f => f["no/such/file.csv"], "No file or folder"),
        ["name misspelt"] = new(_ => "stroeks", "Did you mean 'strokes'?"),
        ["name unknown"] = new(_ => "imagenet21k", "Sets that need no file: checkerboard, "),
        ["split unknown"] = new(_ => "moons", "Split 'valid': expected 'train' or 'test'", new() { Split = "valid" }),
        ["count zero"] = new(_ => "moons", "Count: expected at least 1", new() { Count = 0 }),
        ["folder empty"] = new(f => f.Path, "the folder is empty"),
        ["folder without data"] = new(f => Path.GetDirectoryName(f.Write("readme.txt", "x"))!, "no PNG, JPEG, WebP or BMP images"),
        ["file empty"] = new(f => f.Write("a.csv", ""), "the file is empty"),
        ["file of no format"] = new(f => f.Write("a.dat", [1, 2, 3, 0, 4]), "of no known format"),
        ["gzip damaged"] = new(f => f.Write("a.csv.gz", Edited(Gzip(Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(0, 20_000)))), 10, 0xff)), "damaged packed data"),
        ["gzip bomb"] = new(f => f.Write("t-images-idx3-ubyte.gz", Gzip(IdxFile([50, 1000, 1000], new byte[50_000_000]))), "above the limit of 1,000,000 bytes", new() { MaxBytes = 1_000_000 }),

        ["idx truncated"] = new(f => f.Write("t10k-images-idx3-ubyte", IdxFile([3, 28, 28], new byte[1000])), "promises 3×28×28 bytes, but 1000 follow: truncated"),
        ["idx header truncated"] = new(f => f.Write("t10k-images-idx3-ubyte", [0, 0, 8, 3, 0]), "header is truncated"),
        ["idx trailing"] = new(f => f.Write("t10k-images-idx3-ubyte", IdxFile([1, 2, 2], new byte[5])), "trailing bytes"),
        ["idx wrong magic"] = new(f => f.Write("t10k-images-idx3-ubyte", [1, 2, 8, 3, 0, 0]), "not an IDX file: it begins with 01020803"),
        ["idx of floats"] = new(f => f.Write("t10k-images-idx3-ubyte", IdxFile([1, 1, 1], new byte[4], type: 0x0d)), "element type 0x0d"),
        ["idx overflow"] = new(f => f.Write("t10k-images-idx3-ubyte", IdxFile([-1, -1, -1], new byte[9])), "truncated"),
        ["idx of nothing"] = new(f => f.Write("t10k-images-idx3-ubyte", IdxFile([0, 28, 28], [])), "holds no items"),
        ["idx label count"] = new(f => { f.Write("t10k-labels-idx1-ubyte", IdxFile([2], [1, 2])); return f.Write("t10k-images-idx3-ubyte", IdxFile([3, 1, 1], [1, 2, 3])); }, "2 labels for the 3 images in t10k-images-idx3-ubyte"),
        ["idx labels alone"] = new(f => f.Write("t10k-labels-idx1-ubyte", IdxFile([2], [1, 2])), "no image file beside it"),
        ["idx split absent"] = new(f => Path.GetDirectoryName(f.Write("t10k-images-idx3-ubyte", IdxFile([1, 1, 1], [1])))!, "no train images here", new() { Split = "train" }),

        ["cifar truncated"] = new(f => f.Write("data_batch_1.bin", Record([3], 0)[..3000]), "not a whole number of CIFAR records"),
        ["cifar label"] = new(f => f.Write("data_batch_1.bin", Record([77], 0)), "label 77 in CIFAR-10 records"),
        ["cifar mixed"] = new(f => { f.Write("a.bin", Record([3], 0)); return Path.GetDirectoryName(f.Write("b.bin", Record([3, 4], 0)))!; }, "CIFAR-10 and CIFAR-100 together"),

        ["images of two sizes"] = new(f => { f.Write("a.png", Png(8)); return Path.GetDirectoryName(f.Write("b.png", Png(8, 9)))!; }, "a.png is 8×8, b.png is 8×9; give a size"),
        ["image corrupt"] = new(f => { f.Write("a.png", Png(64)); return Path.GetDirectoryName(f.Write("b.png", Png(64)[..60]))!; }, "damaged"),
        ["image that is text"] = new(f => Path.GetDirectoryName(f.Write("a.jpg", "hello, world"))!, "not a PNG, JPEG, WebP or BMP image"),
        ["images here and below"] = new(f => { f.Write("cats/a.png", Png(8)); return Path.GetDirectoryName(f.Write("b.png", Png(8)))!; }, "expected one or the other"),
        ["images too many"] = new(f => Path.GetDirectoryName(f.Write("a.png", Png(64)))!, "above the limit of 100; give a smaller size", new() { MaxBytes = 100 }),
        ["image size zero"] = new(f => Path.GetDirectoryName(f.Write("a.png", Png(8)))!, "Size: expected 1..16384", new() { Size = 0 }),

        ["csv NaN"] = new(f => f.Write("a.csv", "x,y\n1,2\n3,nan\n"), "row 3, column 2 ('y'): 'nan' is not a finite number"),
        ["csv infinite"] = new(f => f.Write("a.csv", "1,2\n1e99,4\n"), "row 2, column 1: '1e99' is not a finite number"),
        ["csv text"] = new(f => f.Write("a.csv", "1,a\n2,b\n"), "row 1, column 2: 'a' is not a number (if it is the class, give label column 2)"),
        ["csv missing"] = new(f => f.Write("a.csv", "1,2\n3,\n"), "row 2, column 2: the value is missing"),
        ["csv ragged"] = new(f => f.Write("a.csv", "1,2\n3,4\n5,6,7\n"), "row 3 has 3 fields: expected 2"),
        ["csv header alone"] = new(f => f.Write("a.csv", "x,y\n"), "a header row and no data"),
        ["csv label unknown"] = new(f => f.Write("a.csv", "x,y\n1,2\n"), "no label column 'z': columns are x, y; numbers go from 1 to 2", new() { Label = "z" }),
        ["csv label not a class"] = new(f => f.Write("a.csv", string.Join('\n', Enumerable.Range(0, 2000).Select(i => $"{i},{i}.5"))), "2000 different values", new() { Label = "2" }),
        ["csv only label"] = new(f => f.Write("a.csv", "1\n2\n"), "no column of numbers", new() { Label = "1" }),

        ["npy NaN"] = new(f => f.Write("a.npy", NpyFile("'<f4'", "(2, 2)", Floats(1, 2, 3, float.NaN))), "1 values are NaN or infinite, the first at [1, 1]"),
        ["npy truncated"] = new(f => f.Write("a.npy", NpyFile("'<f4'", "(3, 2)", Floats(1, 2, 3))), "truncated .npy data"),
        ["npy trailing"] = new(f => f.Write("a.npy", NpyFile("'<f4'", "(1, 2)", Floats(1, 2, 3))), "bytes follow the array"),
        ["npy pickled"] = new(f => f.Write("a.npy", NpyFile("'|O'", "(1,)", [0x80, 4, 0x2e])), "pickled Python objects"),
        ["npy records"] = new(f => f.Write("a.npy", NpyFile("[('x', '<f4')]", "(1,)", Floats(1))), "arrays of records"),
        ["npy complex"] = new(f => f.Write("a.npy", NpyFile("'<c8'", "(1,)", new byte[8])), "element type '<c8' is not supported"),
        ["npy huge shape"] = new(f => f.Write("a.npy", NpyFile("'<f8'", "(4611686018427387904, 4)", Floats(1))), "above the limit"),
        ["npy bad shape"] = new(f => f.Write("a.npy", NpyFile("'<f8'", "(-1, 4)", Floats(1))), "bad shape"),
        ["npy empty"] = new(f => f.Write("a.npy", NpyFile("'<f8'", "(0, 4)", [])), "holds no items"),
        ["npy version"] = new(f => f.Write("a.npy", Edited(NpyFile("'<f4'", "(1,)", Floats(1)), 6, 9)), "version 9"),
        ["npy huge header"] = new(f => f.Write("a.npy", [0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 127]), "above the limit of 65536"),
        ["npy pixel range"] = new(f => f.Write("a.npy", NpyFile("'<f4'", "(1, 1, 1, 2)", Floats(-5, 300))), "pixel values lie in -5..300"),
        ["npz bomb"] = new(f => f.Write("a.npz", Zip(("x.npy", NpyFile("'|u1'", "(60, 1000, 1000)", new byte[60_000_000])))), "above the limit of 1,000,000 bytes", new() { MaxBytes = 1_000_000 }),
        ["npz without items"] = new(f => f.Write("a.npz", Zip(("p.npy", NpyFile("'<f4'", "(1,)", Floats(1))), ("q.npy", NpyFile("'<f4'", "(1,)", Floats(1))))), "found p, q"),
        ["npz label count"] = new(f => f.Write("a.npz", Zip(("x.npy", NpyFile("'<f4'", "(2, 1)", Floats(1, 2))), ("y.npy", NpyFile("'|u1'", "(3,)", [0, 1, 2])))), "labels of shape (3) for 2 items"),
        ["npz label negative"] = new(f => f.Write("a.npz", Zip(("x.npy", NpyFile("'<f4'", "(2, 1)", Floats(1, 2))), ("y.npy", NpyFile("'|i1'", "(2,)", [0xff, 0])))), "labels lie in -1..0"),
        ["npz cut short"] = new(f => f.Write("a.npz", Zip(("x.npy", NpyFile("'<f4'", "(2, 1)", Floats(1, 2))))[..80]), "damaged .npz archive"),
    };

    internal static IEnumerable<string> CaseNames => Cases.Keys;

    public static TheoryData<string> Names() => [.. CaseNames];

    [Theory, MemberData(nameof(Names))]
    public void Bad_input_gives_one_clear_line(string name)
    {
        using var folder = new TempFolder();
        var (make, message, options) = Cases[name];
        string path = make(folder);
        var e = Assert.ThrowsAny<Exception>(() => DatasetInfo.Of(Datasets.Open(path, options)));
        Assert.True(e is InvalidDataException or ArgumentException or FileNotFoundException, $"{e.GetType()}: {e.Message}");
        Assert.Contains(message, e.Message);
        string line = e is ArgumentException ? e.Message.Split(Environment.NewLine)[0] : e.Message;
        Assert.DoesNotContain('\n', line);
        if (e is InvalidDataException) Assert.StartsWith(folder.Path, e.Message);
    }

    [Fact]
    public void An_unreadable_folder_is_named()
    {
        if (OperatingSystem.IsWindows()) { Assert.Skip("permissions of Unix"); return; }
        using var folder = new TempFolder();
        string locked = Path.GetDirectoryName(folder.Write("locked/a.png", Png(4)))!;
        File.SetUnixFileMode(locked, UnixFileMode.None);
        try
        {
            try { _ = Directory.GetFiles(locked); }
            catch (UnauthorizedAccessException)
            {
                Assert.Contains(locked, Assert.Throws<UnauthorizedAccessException>(() => Datasets.Open(locked)).Message);
                return;
            }
            Assert.Skip("this user may read everything");
        }
        finally
        {
            File.SetUnixFileMode(locked, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
