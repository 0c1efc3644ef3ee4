using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class DatasetTests
{
    [Fact]
    public void Bytes_become_minus_one_to_one()
    {
        using var set = new ArrayDataset("x", tensor(new byte[] { 0, 255, 51 }).view(3, 1, 1, 1), tensor(new long[] { 0, 2, 1 }), ["a", "b", "c"]);
        using var batch = set.Get([1, 0, 2, 1], seed: 0);
        Assert.Equal([1f, -1f, -0.6f, 1f], batch.Samples.data<float>().ToArray());
        Assert.Equal([2L, 0, 1, 2], batch.Labels!.data<long>().ToArray());
        Assert.Equal([1L, 1, 1], set.ItemShape);
        Assert.Equal((3, 3, "b"), (set.Count, set.ClassCount, set.ClassNames[1]));
    }

    [Fact]
    public void Unfit_tensors_and_indices_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("uint8", Assert.Throws<ArgumentException>(() => new ArrayDataset("x", zeros(2, 3, ScalarType.Int32))).Message);
        Assert.Contains("[N, C, H, W]", Assert.Throws<ArgumentException>(() => new ArrayDataset("x", zeros(2, 3, ScalarType.Byte))).Message);
        Assert.Contains("int64 [2]", Assert.Throws<ArgumentException>(() => new ArrayDataset("x", zeros(2, 3), zeros(3, ScalarType.Int64))).Message);
        Assert.Contains("0..1", Assert.Throws<ArgumentException>(() => new ArrayDataset("x", zeros(2, 3), tensor(new long[] { 0, 2 }), ["a", "b"])).Message);
        Assert.Contains("-1..2", Assert.Throws<ArgumentException>(() => new ArrayDataset("x", zeros(2, 3), tensor(new long[] { -1, 2 }))).Message);
        var set = new ArrayDataset("x", zeros(2, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Get([2], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Subset(1..1));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Subset(..3));
        Assert.Throws<ArgumentException>(() => set.Flipped());
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Split(1));
    }

    [Fact]
    public void A_split_is_a_partition_that_the_seed_decides()
    {
        using var scope = NewDisposeScope();
        var set = new ArrayDataset("x", arange(100, ScalarType.Float32).view(-1, 1));
        var (train, test) = set.Split(0.8, seed: 5);
        Assert.Equal((80, 20), (train.Count, test.Count));
        var all = train.InOrder(80).Concat(test.InOrder(20)).SelectMany(b => b.Samples.data<float>().ToArray()).ToArray();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (float)i), all.Order());
        Assert.Equal(((Subset)train).Indices, ((Subset)set.Split(0.8, seed: 5).Train).Indices);
        Assert.NotEqual(((Subset)train).Indices, ((Subset)set.Split(0.8, seed: 6).Train).Indices);
        Assert.Equal(12f, set.Subset(10..^10).Subset(1..).Get([1], 0).Samples.item<float>());
    }

    [Fact]
    public void Flips_and_shifts_move_pixels_as_said()
    {
        using var scope = NewDisposeScope();
        var image = arange(12, ScalarType.Float32).view(1, 1, 3, 4);
        var set = new ArrayDataset("x", image.clone());
        var flips = new Augmented(set, flip: true).Get(new long[64], seed: 1).Samples;
        int mirrored = 0;
        for (int i = 0; i < 64; i++)
        {
            bool isMirror = flips[i].eq(image[0].flip(2)).all().item<bool>();
            Assert.True(isMirror || flips[i].eq(image[0]).all().item<bool>());
            mirrored += isMirror ? 1 : 0;
        }
        Assert.InRange(mirrored, 16, 48);

        var shifted = new Augmented(set, shift: 1).Get(new long[200], seed: 2).Samples;
        var seen = new HashSet<(int, int)>();
        for (int i = 0; i < 200; i++)
        {
            // The four pixels in the middle's neighbourhood identify the shift; edges repeat.
            var (dy, dx) = (from y in Enumerable.Range(-1, 3) from x in Enumerable.Range(-1, 3)
                            where shifted[i].eq(Moved(image[0], y, x)).all().item<bool>() select (y, x)).Single();
            seen.Add((dy, dx));
        }
        Assert.Equal(9, seen.Count);

        static Tensor Moved(Tensor image, int dy, int dx) => image
            .index_select(1, arange(3, ScalarType.Int64).add(dy).clamp(0, 2))
            .index_select(2, arange(4, ScalarType.Int64).add(dx).clamp(0, 3));
    }
}
