using Langevin.Data;

namespace Langevin.Tests.Data;

/// <summary>NumPy's legacy generator: numbers that its documentation and the generator's authors give.</summary>
public class NumPyRandomTests
{
    [Fact]
    public void Draws_the_known_numbers()
    {
        // The C++ standard fixes the 10,000th number of this seed (26.6.5).
        var standard = new NumPyRandom(5489);
        Assert.Equal(3499211612u, standard.NextUInt32());
        for (int i = 2; i < 10_000; i++) standard.NextUInt32();
        Assert.Equal(4123659995u, standard.NextUInt32());

        var numbers = new NumPyRandom(1);
        Assert.Equal([0.417022004702574, 0.7203244934421581, 0.00011437481734488664], new[] { numbers.NextDouble(), numbers.NextDouble(), numbers.NextDouble() });
        Assert.Equal([3, 7, 6, 2, 9, 4, 1, 8, 0, 5], numbers.Permutation(10));
        var places = new NumPyRandom(1);
        Assert.Equal([2, 9, 6, 4, 0, 3, 1, 7, 8, 5], places.Permutation(10));
        Assert.Equal([14, 8, 21, 23], places.Choice([.. Enumerable.Range(5, 20)], 4));
    }

    [Fact]
    public void Small_cases_draw_nothing()
    {
        var (a, b) = (new NumPyRandom(7), new NumPyRandom(7));
        Assert.Equal(0, a.Interval(0));
        Assert.Equal([0], a.Permutation(1));
        Assert.Empty(a.Choice(Array.Empty<int>(), 0));
        Assert.Equal(b.NextUInt32(), a.NextUInt32());
        Assert.Throws<ArgumentOutOfRangeException>(() => a.Choice([1, 2], 3));
        var counts = new int[6];
        for (int i = 0; i < 60_000; i++) counts[a.Interval(5)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400)); // 4.4 standard deviations
    }
}
