using Langevin.Data;
using Langevin.Data.Formats;
using SkiaSharp;
using static Langevin.Tests.Data.FormatBytes;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class ReaderTests
{
    private static byte[] Ramp(int n) => [.. Enumerable.Range(0, n).Select(i => (byte)i)];

    private static long[] All(IDataset set) => [.. Enumerable.Range(0, set.Count).Select(i => (long)i)];

    [Theory, InlineData(false), InlineData(true)]
    public void Idx_pairs_are_found_by_name(bool gzip)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string suffix = gzip ? ".gz" : "";
        byte[] Packed(byte[] b) => gzip ? Gzip(b) : b;
        string images = folder.Write($"train-images-idx3-ubyte{suffix}", Packed(IdxFile([3, 2, 4], Ramp(24))));
        string labels = folder.Write($"train-labels-idx1-ubyte{suffix}", Packed(IdxFile([3], [7, 0, 9])));
        folder.Write("t10k-images-idx3-ubyte", IdxFile([1, 2, 4], Ramp(8)));
        folder.Write("t10k-labels-idx1-ubyte", IdxFile([1], [5]));
        foreach (string path in new[] { images, labels, folder.Path })
        {
            var set = Assert.IsType<ArrayDataset>(Datasets.Open(path));
            Assert.Equal((3, 10, "IDX images"), (set.Count, set.ClassCount, set.Kind));
            Assert.Equal([1L, 2, 4], set.ItemShape);
            Assert.Equal([7L, 0, 9], set.Labels!.data<long>().ToArray());
            Assert.Equal(Ramp(24), set.Items.bytes.ToArray());
        }
        Assert.Equal(1, Datasets.Open(folder.Path, new DataOptions { Split = "test" }).Count);
    }

    [Fact]
    public void Emnist_is_turned_and_counted_from_zero()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        folder.Write("emnist-letters-test-images-idx3-ubyte", IdxFile([1, 2, 2], [1, 2, 3, 4]));
        folder.Write("emnist-letters-test-labels-idx1-ubyte", IdxFile([1], [3]));
        var set = Idx.Open(folder.Path);
        Assert.Equal([1, 3, 2, 4], set.Items.bytes.ToArray());
        Assert.Equal("3", set.ClassNames[(int)set.Labels!.item<long>()]);
    }

    [Fact]
    public void Idx_images_without_labels_are_unlabelled()
    {
        using var folder = new TempFolder();
        using var set = Idx.Open(folder.Write("my-images-idx3-ubyte", IdxFile([2, 3, 3], Ramp(18))));
        Assert.Equal((2, 0), (set.Count, set.ClassCount));
        Assert.Null(set.Labels);
    }

    [Fact]
    public void Mnist_test_set_is_what_it_is()
    {
        using var scope = NewDisposeScope();
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(Shared.Data("mnist")));
        Assert.Equal((10_000, 10), (set.Count, set.ClassCount));
        Assert.Equal([7L, 2, 1, 0, 4, 1, 4, 9, 5, 9], set.Labels!.narrow(0, 0, 10).data<long>().ToArray());
        Assert.Equal([980L, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], set.Labels!.bincount(null).data<long>().ToArray());
        // Mean and deviation of the test images on the 0..1 scale.
        var x = set.Items.to(ScalarType.Float32) / 255;
        Assert.Equal(0.1325, x.mean().item<float>(), 0.0001);
        Assert.Equal(0.3105, x.std().item<float>(), 0.0001);
    }

    [Fact]
    public void Cifar10_records_are_read_from_file_gz_and_folder()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        byte[] one = Record([6], 3), two = Record([9], 200);
        folder.Write("data_batch_1.bin", [.. one, .. two]);
        folder.Write("data_batch_2.bin.gz", Gzip(two));
        string test = folder.Write("test_batch.bin", one);
        folder.Write("batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(folder.Path));
        Assert.Equal((3, "frog", "CIFAR-10 records"), (set.Count, set.ClassNames[6], set.Kind));
        Assert.Equal([6L, 9, 9], set.Labels!.data<long>().ToArray());
        Assert.Equal([3L, 32, 32], set.ItemShape);
        Assert.Equal(one[1..], set.Items[0].bytes.ToArray());
        Assert.Equal(unchecked((byte)(200 + 1024 + 32)), set.Items[1, 1, 1, 0].item<byte>());
        Assert.Equal(1, Datasets.Open(test).Count);
        Assert.Equal(1, Datasets.Open(folder.Path, new DataOptions { Split = "test" }).Count);
    }

    [Fact]
    public void Cifar100_takes_the_fine_label()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var set = Cifar.Open(folder.Write("train.bin", [.. Record([19, 99], 1), .. Record([3, 42], 2)]));
        Assert.Equal([99L, 42], set.Labels!.data<long>().ToArray());
        Assert.Equal((100, (byte)2), (set.ClassCount, set.Items[1, 0, 0, 0].item<byte>()));
    }

    [Fact]
    public void Cifar10_part_is_what_it_is()
    {
        using var scope = NewDisposeScope();
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(Shared.Data("cifar10")));
        Assert.Equal((2500, "airplane", "truck"), (set.Count, set.ClassNames[0], set.ClassNames[9]));
        Assert.All(set.Labels!.bincount(null).data<long>().ToArray(), n => Assert.InRange(n, 150, 350));
        var mean = set.Items.to(ScalarType.Float32).mean([0L, 2, 3]) / 255;
        Assert.Equal(0.49, mean[0].item<float>(), 0.02);
        Assert.Equal(0.45, mean[2].item<float>(), 0.02);
    }

    [Fact]
    public void Image_folders_give_classes_by_subfolder()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        var red = tensor(new[] { 1f, -1, -1 }).view(3, 1, 1).expand(3, 4, 6);
        ImageGrid.Save(folder["b cats/1.png"], red);
        ImageGrid.Save(folder["a dogs/deep/x.png"], -red);
        ImageGrid.Save(folder["a dogs/y.png"], red * 0);
        folder.Write("a dogs/notes.txt", "not an image");
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(folder.Path));
        Assert.Equal(["a dogs", "b cats"], set.ClassNames);
        Assert.Equal([0L, 0, 1], set.Labels!.data<long>().ToArray());
        Assert.Equal([3L, 4, 6], set.ItemShape);
        Assert.Equal([255, 0, 0], set.Items[2, TensorIndex.Colon, 1, 1].clone().bytes.ToArray());
        Assert.Equal([1L, 4, 6], Datasets.Open(folder.Path, new DataOptions { Grey = true }).ItemShape);
        // BT.601 weights red with 0.299.
        Assert.Equal(76, ((ArrayDataset)Datasets.Open(folder.Path, new DataOptions { Grey = true })).Items[2, 0, 0, 0].item<byte>());
    }

    [Fact]
    public void Grey_files_have_one_channel_and_splits_lie_in_folders()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        ImageGrid.Save(folder["train/0/a.png"], zeros(1, 5, 5));
        ImageGrid.Save(folder["train/1/b.png"], ones(1, 5, 5));
        ImageGrid.Save(folder["test/1/c.png"], ones(1, 5, 5));
        var train = Datasets.Open(folder.Path);
        Assert.Equal((2, 2), (train.Count, train.ClassCount));
        Assert.Equal([1L, 5, 5], train.ItemShape);
        Assert.Equal(1, Datasets.Open(folder.Path, new DataOptions { Split = "test" }).Count);
        Assert.Equal(0, Datasets.Open(folder["train/0"]).ClassCount);
        Assert.Equal(1, Datasets.Open(folder["train/0/a.png"]).Count);
    }

    [Fact]
    public void Images_are_scaled_and_cut_to_size()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        // A vertical edge in the middle of a wide image stays in the middle; a fine pattern becomes its mean.
        var edge = cat([full([1, 20, 30], -1f), full([1, 20, 30], 1f)], 2);
        ImageGrid.Save(folder["wide.png"], edge);
        var small = ImageFile.Load(folder["wide.png"], size: 10);
        Assert.Equal([1L, 10, 10], small.shape);
        Assert.Equal(-1, small[0, 5, 1].item<float>(), 0.02);
        Assert.Equal(1, small[0, 5, 8].item<float>(), 0.02);
        Assert.Equal(0, (small[0, 5, 4] + small[0, 5, 5]).item<float>(), 0.02);
        var checkers = (arange(64).view(1, -1, 1) + arange(64).view(1, 1, -1)).remainder(2).to(ScalarType.Float32) * 2 - 1;
        ImageGrid.Save(folder["checkers.png"], checkers);
        Assert.InRange(ImageFile.Load(folder["checkers.png"], size: 16)[0].narrow(0, 2, 12).narrow(1, 2, 12).abs().max().item<float>(), 0, 0.02f);
        Assert.Equal([1L, 40, 40], ImageFile.Load(folder["wide.png"], size: 40).shape);
    }

    [Fact]
    public void Jpeg_webp_and_transparent_files_are_read()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var bitmap = new SKBitmap(new SKImageInfo(16, 8, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(new SKColor(200, 40, 80, 255));
        foreach (var format in new[] { SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Webp, SKEncodedImageFormat.Png })
        {
            using var data = bitmap.Encode(format, 95);
            var image = ImageFile.Load(folder.Write("x." + format.ToString().ToLowerInvariant(), data.ToArray())).add(1).mul(127.5f);
            Assert.Equal([3L, 8, 16], image.shape);
            foreach (var (want, c) in new[] { (200, 0), (40, 1), (80, 2) }) Assert.InRange(image[c].mean().item<float>(), want - 4, want + 4);
        }
        bitmap.Erase(new SKColor(0, 0, 0, 51)); // a fifth of black over white
        using var half = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.Equal(204, ImageFile.Load(folder.Write("alpha.png", half.ToArray())).add(1).mul(127.5f).mean().item<float>(), 1.0);
    }

    [Fact]
    public void Bmp_is_read()
    {
        using var folder = new TempFolder();
        // Two pixels of 24 bits, blue-green-red, the row padded to 8 bytes.
        byte[] bmp = [.. "BM"u8, 62, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0, .. new byte[24], 255, 0, 0, 0, 255, 51, 0, 0];
        using var set = Assert.IsType<ArrayDataset>(Datasets.Open(folder.Write("a.bmp", bmp)));
        Assert.Equal([0, 51, 0, 255, 255, 0], set.Items.bytes.ToArray());
    }

    [Fact]
    public void A_photographs_orientation_is_applied()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        // White left half of a wide picture; turned clockwise it is the upper half of a tall one.
        using var bitmap = new SKBitmap(new SKImageInfo(32, 16, SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(SKColors.Black);
        for (int x = 0; x < 16; x++) for (int y = 0; y < 16; y++) bitmap.SetPixel(x, y, SKColors.White);
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 100);
        byte[] jpeg = data.ToArray(), exif = [.. "Exif\0\0II"u8, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        byte[] turned = [.. jpeg[..2], 0xff, 0xe1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
        var image = ImageFile.Load(folder.Write("a.jpg", turned));
        Assert.Equal([3L, 32, 16], image.shape);
        Assert.InRange(image.narrow(1, 0, 15).min().item<float>(), 0.9f, 1);
        Assert.InRange(image.narrow(1, 17, 15).max().item<float>(), -1, -0.9f);
        Assert.Equal([3L, 32, 16], Datasets.Open(folder["a.jpg"]).ItemShape);
    }

    [Fact]
    public void Csv_with_header_labels_and_quotes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder.Write("a.csv", "x, y ,\"kind, really\"\n1,2.5,b\n\n-3e-1,\"4\",a\n5,6,b\n");
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(path, new DataOptions { Label = "kind, really" }));
        Assert.Equal([1f, 2.5f, -0.3f, 4f, 5f, 6f], set.Items.data<float>().ToArray());
        Assert.Equal(["a", "b"], set.ClassNames);
        Assert.Equal([1L, 0, 1], set.Labels!.data<long>().ToArray());
        Assert.Equal([1L, 0, 1], Csv.Open(path, new DataOptions { Label = "-1" }).Labels!.data<long>().ToArray());
        foreach (string text in new[] { "1;2\n3;4\n", "# a note\n1,2\n3,4\n", "1\t2\n3\t4", "  1  2\r\n 3 4\r\n", "\uFEFFa,b\n1,2\n3,4\n" })
            Assert.Equal([1f, 2, 3, 4], Csv.Open(folder.Write("b.csv", text)).Items.data<float>().ToArray());
        // Class names that are numbers are ordered as numbers.
        Assert.Equal(["2", "10"], Csv.Open(folder.Write("c.csv", "0.5,10\n0.25,2\n"), new DataOptions { Label = "2" }).ClassNames);
        var packed = Datasets.Open(folder.Write("d.csv.gz", Gzip("1,2\n3,4\n"u8.ToArray())));
        Assert.Equal(2, packed.Count);
    }

    [Fact]
    public void Csv_labels_without_a_header()
    {
        using var scope = NewDisposeScope();
        var set = Assert.IsType<ArrayDataset>(Datasets.Open(Shared.Data("tabular/iris.csv.gz"), new DataOptions { Label = "5" }));
        Assert.Equal((150, 3), (set.Count, set.ClassCount));
        Assert.Equal([4L], set.ItemShape);
        Assert.Equal(5.1f, set.Items[0, 0].item<float>());
    }

    public static TheoryData<string> NpyTypes() => ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "b1"];

    [Theory, MemberData(nameof(NpyTypes))]
    public void Npy_reads_each_type_in_both_byte_orders_and_layouts(string type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        double[] values = type == "b1" ? [1, 0, 1, 1, 0, 0] : type[0] == 'u' ? [0, 1, 2, 200, 254, 255] : [0, 1, -2, 3, -4, 5];
        if (type == "u2") values[5] = 65535;
        if (type == "u4") values[5] = uint.MaxValue;
        foreach (bool big in new[] { false, true })
            foreach (bool fortran in new[] { false, true })
            {
                // Fortran order: the first index runs fastest.
                int[] order = fortran ? [0, 3, 1, 4, 2, 5] : [0, 1, 2, 3, 4, 5];
                byte[] data = [.. order.SelectMany(i => Element(type, values[i], big))];
                string descr = type.EndsWith('1') ? "|" : big ? ">" : "<";
                var read = Npy.Read(folder.Write("a.npy", NpyFile($"'{descr}{type}'", "(2, 3)", data, fortran)));
                Assert.Equal([2L, 3], read.shape);
                Assert.Equal(values, read.to(ScalarType.Float64).data<double>().ToArray());
            }
        var scalar = Npy.Read(folder.Write("s.npy", NpyFile($"'<{type}'", "()", Element(type, 1, false), version: 2)));
        Assert.Empty(scalar.shape);
        Assert.Equal(1, scalar.to(ScalarType.Float64).item<double>());

        static byte[] Element(string type, double v, bool big)
        {
            byte[] bytes = type switch
            {
                "f2" => BitConverter.GetBytes((Half)v), "f4" => BitConverter.GetBytes((float)v), "f8" => BitConverter.GetBytes(v),
                "i2" => BitConverter.GetBytes((short)v), "i4" => BitConverter.GetBytes((int)v), "i8" => BitConverter.GetBytes((long)v),
                "u2" => BitConverter.GetBytes((ushort)v), "u4" => BitConverter.GetBytes((uint)v),
                "i1" => [unchecked((byte)(sbyte)v)], _ => [(byte)v],
            };
            return big ? [.. bytes.Reverse()] : bytes;
        }
    }

    [Fact]
    public void Arrays_become_images_or_vectors_by_shape_and_range()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        ArrayDataset Open(byte[] npy) => Assert.IsType<ArrayDataset>(Datasets.Open(folder.Write("a.npy", npy)));
        Assert.Equal([1L, 2, 2], Open(NpyFile("'|u1'", "(3, 2, 2)", Ramp(12))).ItemShape);
        var last = Open(NpyFile("'|u1'", "(1, 2, 2, 3)", Ramp(12)));
        Assert.Equal([3L, 2, 2], last.ItemShape);
        Assert.Equal([0, 3, 6, 9], last.Items[0, 0].clone().bytes.ToArray());
        Assert.Equal([3L, 2, 2], Open(NpyFile("'|u1'", "(1, 3, 2, 2)", Ramp(12))).ItemShape);
        Assert.Equal([-1f, 0, 1, -0.5f], Open(NpyFile("'<f4'", "(1, 1, 2, 2)", Floats(0, 0.5f, 1, 0.25f))).Items.data<float>().ToArray());
        Assert.Equal([-1f, 0.5f, 1, 0], Open(NpyFile("'<f4'", "(1, 1, 2, 2)", Floats(-1, 0.5f, 1, 0))).Items.data<float>().ToArray());
        Assert.Equal([-1f, 1, 0, -1], Open(NpyFile("'<f4'", "(1, 1, 2, 2)", Floats(0, 255, 127.5f, 0))).Items.data<float>().ToArray());
        Assert.Equal([3f, 900, -7, 0], Open(NpyFile("'<f4'", "(2, 2)", Floats(3, 900, -7, 0))).Items.data<float>().ToArray());
        Assert.Equal([1L], Open(NpyFile("'<f4'", "(4,)", Floats(3, 900, -7, 0))).ItemShape);
        Assert.Equal([-1f, 1], Open(NpyFile("'|b1'", "(1, 1, 2)", [0, 1])).Get([0], 0).Samples.data<float>().ToArray());
    }

    [Fact]
    public void Npz_finds_items_labels_and_splits()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder.Write("a.npz", Zip(
            ("x_train.npy", NpyFile("'|u1'", "(2, 2, 2)", Ramp(8))), ("y_train.npy", NpyFile("'|u1'", "(2,)", [1, 0])),
            ("x_test.npy", NpyFile("'|u1'", "(1, 2, 2)", Ramp(4))), ("y_test.npy", NpyFile("'<i8'", "(1, 1)", BitConverter.GetBytes(1L)))));
        var train = Assert.IsType<ArrayDataset>(Datasets.Open(path));
        Assert.Equal((2, 2), (train.Count, train.ClassCount));
        Assert.Equal([1L, 0], train.Labels!.data<long>().ToArray());
        Assert.Equal(1, Datasets.Open(path, new DataOptions { Split = "test" }).Count);
        Assert.Equal(2, Datasets.Open(folder.Write("b.npz", Zip(("points.npy", NpyFile("'<f4'", "(2, 1)", Floats(1, 2)))))).Count);
    }

    [Fact]
    public void Names_open_procedural_sets_with_disjoint_splits()
    {
        using var scope = NewDisposeScope();
        foreach (string name in Datasets.Names)
        {
            var options = new DataOptions { Count = 64, Seed = 3 };
            var (train, test) = (Datasets.Open(name, options), Datasets.Open(name, options with { Split = "test" }));
            Assert.Equal((64, 64, "procedural"), (train.Count, test.Count, train.Kind));
            Assert.False(train.Get(All(train), 0).Samples.eq(test.Get(All(test), 0).Samples).view(64, -1).all(1).any().item<bool>());
        }
        Assert.Equal(2000, Datasets.Open("strokes", new DataOptions { Split = "test" }).Count);
    }

    [Fact]
    public void Count_keeps_a_random_part_of_a_file()
    {
        using var folder = new TempFolder();
        string path = folder.Write("a.csv", string.Join('\n', Enumerable.Range(0, 100)));
        var first = Assert.IsType<Subset>(Datasets.Open(path, new DataOptions { Count = 10 }));
        Assert.Equal(first.Indices, ((Subset)Datasets.Open(path, new DataOptions { Count = 10 })).Indices);
        Assert.NotEqual(first.Indices, ((Subset)Datasets.Open(path, new DataOptions { Count = 10, Seed = 1 })).Indices);
        Assert.Equal(10, first.Indices.Distinct().Count());
    }
}
