using static TorchSharp.torch;

namespace Langevin.Tests;

public class WindowsTests
{
    [Theory]
    [InlineData(100, 32, 16)]
    [InlineData(97, 32, 24)]
    [InlineData(64, 32, 32)]
    [InlineData(32, 32, 8)]
    [InlineData(7, 32, 8)]
    [InlineData(1, 4, 1)]
    public void What_is_cut_is_joined_again(int total, int length, int hop)
    {
        using var scope = NewDisposeScope();
        var x = rand(3, total, float64, generator: new Generator(1));
        var windows = Windows.Cut(x, length, hop);
        Assert.Equal([3L, length], windows.shape[1..]);
        Assert.Equal(Math.Max(0, (total - length + hop - 1) / hop) + 1, windows.size(0));
        Assert.Equal(0, (Windows.Join(windows, total, hop) - x).abs().max().item<double>(), 1e-14);
        Assert.Equal(x[0, 0].item<double>(), windows[0, 0, 0].item<double>());
    }

    // Two windows that overlap by half fade into each other along a line.
    [Fact]
    public void Overlap_is_faded()
    {
        using var scope = NewDisposeScope();
        var joined = Windows.Join(cat([zeros(1, 1, 8), ones(1, 1, 8)]), 12, 4)[0].data<float>().ToArray();
        float[] expected = [0, 0, 0, 0, 0.5f / 4, 1.5f / 4, 2.5f / 4, 3.5f / 4, 1, 1, 1, 1];
        for (int i = 0; i < 12; i++) Assert.Equal(expected[i], joined[i], 1e-6f);
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>(() => Windows.Cut(ones(1, 9), 4, 5));
        Assert.Throws<ArgumentException>(() => Windows.Cut(ones(9), 4, 2));
        Assert.Contains("has 4 windows, got 3", Assert.Throws<ArgumentException>(() => Windows.Join(ones(3, 1, 4), 9, 2)).Message);
    }
}
