using Langevin.Metrics.Images;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Colour differences against published numbers.</summary>
public sealed class ColorDifferenceTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    // Sharma, Wu and Dalal 2005, Color Research and Application 30, table 1: L, a, b of both colours and ΔE₀₀.
    private static readonly double[][] Published =
    [
        [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425], [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615], [50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412],
        [50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000], [50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000], [50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000],
        [50, 0, 0, 50, -1, 2, 2.3669], [50, -1, 2, 50, 0, 0, 2.3669], [50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792],
        [50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792], [50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195], [50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195],
        [50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045], [50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045], [50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461],
        [50, 2.5, 0, 50, 0, -2.5, 4.3065], [50, 2.5, 0, 73, 25, -18, 27.1492], [50, 2.5, 0, 61, -5, 29, 22.8977], [50, 2.5, 0, 56, -27, -3, 31.9030],
        [50, 2.5, 0, 58, 24, 15, 19.4535], [50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000], [50, 2.5, 0, 50, 3.2972, 0, 1.0000], [50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000],
        [50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000], [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630], [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645], [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146], [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381], [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ];

    [Fact]
    public void Ciede2000_equals_the_published_pairs_and_is_symmetric()
    {
        var rows = stack(Published.Select(p => tensor(p)));
        var (first, second, expected) = (rows.narrow(1, 0, 3), rows.narrow(1, 3, 3), rows.select(1, 6));
        // The table has four decimals.
        Assert.True((ColorDifference.Ciede2000OfLab(first, second) - expected).abs().max().item<double>() < 6e-5);
        Assert.True((ColorDifference.Ciede2000OfLab(second, first) - expected).abs().max().item<double>() < 6e-5);
        Assert.True(ColorDifference.Cie76OfLab(first, second).allclose((first - second).square().sum([1]).sqrt()));
    }

    [Theory]
    [InlineData(1, 1, 1, 100, 0, 0)]
    [InlineData(0, 0, 0, 0, 0, 0)]
    [InlineData(1, 0, 0, 53.241, 80.092, 67.203)]
    [InlineData(0, 1, 0, 87.735, -86.183, 83.179)]
    [InlineData(0, 0, 1, 32.297, 79.188, -107.860)]
    public void Lab_of_the_primaries(double r, double g, double b, double l, double x, double y)
    {
        // Published to three decimals, with white points that differ in the fifth.
        double[] lab = ColorDifference.Lab(tensor(new[] { r, g, b }).view(1, 3)).data<double>().ToArray();
        Assert.Equal(l, lab[0], 0.02);
        Assert.Equal(x, lab[1], 0.02);
        Assert.Equal(y, lab[2], 0.02);
    }

    [Fact]
    public void Images_are_averaged_over_their_pixels()
    {
        var (white, black) = (ones(2, 3, 4, 4), zeros(2, 3, 4, 4));
        Assert.True(ColorDifference.Cie76(white, black).allclose(full(2, 100, float64), 1e-9));
        Assert.True(ColorDifference.Ciede2000(white, black).allclose(full(2, 100, float64), 1e-9));
        var half = cat([white.narrow(2, 0, 2), black.narrow(2, 0, 2)], 2);
        Assert.True(ColorDifference.Ciede2000(half, black).allclose(full(2, 50, float64), 1e-9));
        Assert.Equal(0, ColorDifference.Ciede2000(half, half).sum().item<double>());
        Assert.Throws<ArgumentException>(() => ColorDifference.Cie76(zeros(1, 1, 4, 4), zeros(1, 1, 4, 4)));
    }

    [Fact]
    public void Compressed_range_weighs_dark_errors_more()
    {
        var (dark, light) = (full([1, 8], 0.001, float64), full([1, 8], 0.9, float64));
        double Mu(Tensor x) => ImageError.PeakSignalToNoiseMu(x, x + 0.001)[0].item<double>();
        Assert.Equal(ImageError.PeakSignalToNoise(dark, dark + 0.001, 1)[0].item<double>(), ImageError.PeakSignalToNoise(light, light + 0.001, 1)[0].item<double>(), 1e-6);
        Assert.True(Mu(dark) < Mu(light) - 20);
        double d = Math.Log((1 + 5000 * 0.002) / (1 + 5000 * 0.001)) / Math.Log(5001);
        Assert.Equal(-20 * Math.Log10(d), Mu(dark), 1e-9);
    }
}
