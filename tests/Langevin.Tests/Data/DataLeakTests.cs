using Langevin.Data;
using static Langevin.Tests.Data.FormatBytes;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class DataLeakTests
{
    [Fact]
    public void Opening_looking_and_failing_leave_no_tensors()
    {
        using var folder = new TempFolder();
        using (var image = zeros(3, 9, 8)) ImageGrid.Save(folder["images/a/1.png"], image);
        folder.Write("images/b/2.png", File.ReadAllBytes(folder["images/a/1.png"]));
        string[] good =
        [
            folder["images"], folder.Write("a.csv", "1,2\n3,4\n"), folder.Write("t-images-idx3-ubyte.gz", Gzip(IdxFile([2, 2, 2], new byte[8]))),
            folder.Write("a.bin", [.. Record([1], 0), .. Record([2], 1)]), folder.Write("a.npz", Zip(("x.npy", NpyFile("'>u2'", "(2, 3)", new byte[12], fortran: true)), ("y.npy", NpyFile("'|u1'", "(2,)", [0, 1])))),
            "strokes", "shapes", "moons",
        ];
        foreach (string spec in good) Visit(spec); // fills what is kept for good
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        foreach (string spec in good) Visit(spec);
        Assert.Equal(before, Tensor.TotalCount);

        static void Visit(string spec)
        {
            var set = Datasets.Open(spec, new DataOptions { Size = 6, Count = 2 });
            DatasetInfo.Of(set);
            foreach (var batch in set.InOrder(1)) batch.Dispose();
            (set as IDisposable)?.Dispose();
        }
    }

    [Fact]
    public void Bad_input_leaves_no_tensors()
    {
        var bad = new MalformedInputTests();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = Tensor.TotalCount;
        foreach (string name in MalformedInputTests.CaseNames) bad.Bad_input_gives_one_clear_line(name);
        Assert.Equal(before, Tensor.TotalCount);
    }
}
