using Langevin.Data;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public class DataLoaderTests
{
    // Item i is the number i, so that a batch shows which items it holds.
    private static ArrayDataset Numbers(int count) => new("numbers", arange(count, ScalarType.Float32).view(-1, 1), arange(count, ScalarType.Int64).remainder(3));

    private static float[] Items(Batch batch) => batch.Samples.data<float>().ToArray();

    private static List<float[]> Take(DataLoader loader, int steps, long from = 0)
    {
        var taken = new List<float[]>();
        foreach (var batch in loader.Batches(from))
            using (batch)
            {
                taken.Add(Items(batch));
                if (taken.Count == steps) break;
            }
        return taken;
    }

    [Fact]
    public void Every_item_comes_once_an_epoch_in_an_order_of_its_own()
    {
        using var set = Numbers(12);
        var loader = new DataLoader(set, 4, seed: 3);
        var items = Take(loader, 6).SelectMany(b => b).ToArray();
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), items[..12].Order());
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), items[12..].Order());
        Assert.NotEqual(items[..12], items[12..]);
        Assert.NotEqual(items[..12].Order(), items[..12]);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(5)]
    public void Prefetching_changes_nothing(int prefetch)
    {
        using var set = Numbers(50);
        var expected = Take(new DataLoader(set, 7, seed: 1, prefetch: 2), 40);
        Assert.Equal(expected, Take(new DataLoader(set, 7, seed: 1, prefetch: prefetch), 40));
        Assert.NotEqual(expected, Take(new DataLoader(set, 7, seed: 2, prefetch: prefetch), 40));
    }

    [Fact]
    public void A_stream_resumes_at_any_step()
    {
        using var set = new ArrayDataset("images", randint(0, 256, [23, 1, 6, 6], ScalarType.Byte));
        var loader = new DataLoader(set.Flipped().Shifted(2), 5, seed: 9);
        var whole = Take(loader, 30);
        Assert.Equal(whole[17..], Take(new DataLoader(set.Flipped().Shifted(2), 5, seed: 9), 13, from: 17));
        using var single = loader.At(29);
        Assert.Equal(whole[29], Items(single));
    }

    [Fact]
    public void A_set_smaller_than_a_batch_still_fills_it()
    {
        using var set = Numbers(3);
        var items = Assert.Single(Take(new DataLoader(set, 7, seed: 0), 1));
        Assert.Equal(7, items.Length);
        Assert.Equal([0f, 1f, 2f], items[..3].Order());
        Assert.Equal([0f, 1f, 2f], items[3..6].Order());
    }

    [Fact]
    public void Without_shuffling_the_order_is_the_sets_own()
    {
        using var set = Numbers(5);
        Assert.Equal([[0f, 1f, 2f], [3f, 4f, 0f]], Take(new DataLoader(set, 3, seed: 0, shuffle: false), 2));
        Assert.Equal([3, 2], set.InOrder(3).Select(b => { using (b) return b.Count; }));
    }

    [Fact]
    public void Nothing_leaks_whether_read_cancelled_or_abandoned()
    {
        using var set = Numbers(64);
        var loader = new DataLoader(set, 8, seed: 4, prefetch: 4);
        Take(loader, 3);
        long before = Tensor.TotalCount;
        Take(loader, 200);
        Assert.InRange(Tensor.TotalCount, 0, before);

        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var batch in loader.Batches(cancellation: cancel.Token))
            {
                batch.Dispose();
                cancel.Cancel();
            }
        });
        Assert.InRange(Tensor.TotalCount, 0, before);
    }

    [Fact]
    public void A_batch_outlives_the_scope_it_was_taken_in()
    {
        using var set = Numbers(8);
        Batch kept;
        using (NewDisposeScope()) kept = new DataLoader(set, 4, seed: 0, prefetch: 0).Batches().First();
        using (kept) Assert.Equal(4, kept.Samples.shape[0]);
    }

    [Fact]
    public void A_failing_set_fails_the_stream_with_its_own_error()
    {
        using var good = Numbers(4);
        var e = Assert.Throws<InvalidDataException>(() => new DataLoader(new Failing(good), 2, seed: 0).Batches().First());
        Assert.Equal("item 3 is broken", e.Message);
    }

    private sealed class Failing(IDataset source) : IDataset
    {
        public string Name => source.Name;
        public int Count => source.Count;
        public long[] ItemShape => source.ItemShape;
        public int ClassCount => source.ClassCount;
        public IReadOnlyList<string> ClassNames => source.ClassNames;
        public Batch Get(ReadOnlySpan<long> indices, long seed) => throw new InvalidDataException("item 3 is broken");
    }
}
