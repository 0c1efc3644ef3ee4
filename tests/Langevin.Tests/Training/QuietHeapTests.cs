namespace Langevin.Tests.Training;

/// <summary>Garbage is collected between steps.</summary>
public class QuietHeapTests
{
    [Fact]
    public void A_collection_is_due_after_so_much_and_happens_between_steps()
    {
        using var heap = new QuietHeap();
        Assert.False(heap.IsDue);
        int before = GC.CollectionCount(0);
        var kept = new List<byte[]>();
        for (int i = 0; i < 100; i++) kept.Add(new byte[1 << 20]);
        Assert.Equal(before, GC.CollectionCount(0));
        Assert.True(heap.IsDue);
        kept.Clear();
        heap.BetweenSteps();
        Assert.False(heap.IsDue);
        using var other = new QuietHeap(); // within another's life
        Assert.False(other.IsDue);
    }
}
