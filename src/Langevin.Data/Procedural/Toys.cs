using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>Distributions in the plane: sets of float32 [2], each about one unit wide per axis. Point i is a pure function of (seed, i).</summary>
public static class Toys
{
    private const int Most = 100_000_000;

    /// <summary>Standard deviation of each component of <see cref="EightGaussians"/>.</summary>
    public const double EightGaussiansStd = 0.1;

    /// <summary>Means of <see cref="EightGaussians"/>: eight points on a circle, such that each axis has variance 1.</summary>
    public static IReadOnlyList<(double X, double Y)> EightGaussiansMeans { get; } =
        [.. Enumerable.Range(0, 8).Select(k => (Math.Sqrt(2 * (1 - EightGaussiansStd * EightGaussiansStd)) * Math.Cos(k * Math.PI / 4),
                                                Math.Sqrt(2 * (1 - EightGaussiansStd * EightGaussiansStd)) * Math.Sin(k * Math.PI / 4)))];

    /// <summary>Two interleaved half circles with noise, 2 classes.</summary>
    public static ArrayDataset Moons(int count = 10_000, long seed = 0, long first = 0) => Make("moons", count, seed, first, 2, static (ref r, k) =>
    {
        double angle = Math.PI * r.NextDouble(), sign = k == 0 ? 1 : -1;
        return ((sign * (Math.Cos(angle) - 0.5) + r.Jitter(0.05)) / 0.7, (sign * (Math.Sin(angle) - 0.25) + r.Jitter(0.05)) / 0.7);
    });

    /// <summary>A spiral of one and a half turns with noise, no classes.</summary>
    public static ArrayDataset SwissRoll(int count = 10_000, long seed = 0, long first = 0) => Make("swiss-roll", count, seed, first, 0, static (ref r, _) =>
    {
        double angle = 1.5 * Math.PI * (1 + 2 * r.NextDouble());
        // The mean of the curve is (2, 2 / 3π).
        return ((angle * Math.Cos(angle) - 2) / 7 + r.Jitter(0.04), (angle * Math.Sin(angle) - 2 / (3 * Math.PI)) / 7 + r.Jitter(0.04));
    });

    /// <summary>Uniform on the black fields of a 4×4 board, no classes.</summary>
    public static ArrayDataset Checkerboard(int count = 10_000, long seed = 0, long first = 0) => Make("checkerboard", count, seed, first, 0, static (ref r, _) =>
    {
        int field = r.Next(8), row = field / 2, column = 2 * (field % 2) + row % 2;
        double side = Math.Sqrt(12) / 4; // the whole board has variance 1 per axis
        return ((column - 2 + r.NextDouble()) * side, (row - 2 + r.NextDouble()) * side);
    });

    /// <summary>Five bent arms, 5 classes.</summary>
    public static ArrayDataset Pinwheel(int count = 10_000, long seed = 0, long first = 0) => Make("pinwheel", count, seed, first, 5, static (ref r, k) =>
    {
        double along = 1 + r.Jitter(0.3), across = r.Jitter(0.1), angle = 2 * Math.PI * k / 5 + 0.25 * Math.Exp(along);
        return ((along * Math.Cos(angle) - across * Math.Sin(angle)) / 0.74, (along * Math.Sin(angle) + across * Math.Cos(angle)) / 0.74);
    });

    /// <summary>Eight equal isotropic Gaussians on a circle, 8 classes.</summary>
    public static ArrayDataset EightGaussians(int count = 10_000, long seed = 0, long first = 0) => Make("eight-gaussians", count, seed, first, 8, static (ref r, k) =>
        (EightGaussiansMeans[k].X + EightGaussiansStd * r.Normal(), EightGaussiansMeans[k].Y + EightGaussiansStd * r.Normal()));

    /// <summary>The exact denoiser and density of <see cref="EightGaussians"/> under a process (float64).</summary>
    public static GaussianMixture EightGaussiansMixture(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        var means = tensor(EightGaussiansMeans.SelectMany(m => new[] { m.X, m.Y }).ToArray()).view(8, 2);
        return new(process, ones(8, ScalarType.Float64), means, full([8], EightGaussiansStd, ScalarType.Float64));
    }

    /// <summary>
    /// Two Gaussians of unequal weight far apart, 4/5 about (1, 1) and 1/5 about (−1, −1) with standard deviation 0.2: the example of
    /// Song &amp; Ermon 2019, figure 3, at a fifth of its size. No classes.
    /// </summary>
    public static ArrayDataset TwoGaussians(int count = 10_000, long seed = 0, long first = 0) => Make("two-gaussians", count, seed, first, 0, static (ref r, _) =>
    {
        double sign = r.NextDouble() < 0.8 ? 1 : -1;
        return (sign + 0.2 * r.Normal(), sign + 0.2 * r.Normal());
    });

    /// <summary>The exact denoiser and density of <see cref="TwoGaussians"/> under a process (float64).</summary>
    public static GaussianMixture TwoGaussiansMixture(GaussianProcess process)
    {
        using var scope = NewDisposeScope();
        return new(process, tensor([0.8, 0.2]), tensor([1.0, 1, -1, -1]).view(2, 2), full([2], 0.2, ScalarType.Float64));
    }

    private delegate (double X, double Y) Point(ref SeededRandom random, int label);

    private static ArrayDataset Make(string name, int count, long seed, long first, int classes, Point point)
    {
        if (count is < 1 or > Most) throw new ArgumentOutOfRangeException(nameof(count), count, $"'{name}' can have 1 to {Most} points.");
        var points = new float[2 * count];
        Parallel.For(0, (count + 4095) / 4096, block =>
        {
            for (int i = block * 4096; i < Math.Min(count, (block + 1) * 4096); i++)
            {
                var random = new SeededRandom(seed, stream: 0x544f59, item: first + i);
                var (x, y) = point(ref random, classes == 0 ? 0 : (int)((first + i) % classes));
                (points[2 * i], points[2 * i + 1]) = ((float)x, (float)y);
            }
        });
        using var flat = frombuffer(points, ScalarType.Float32);
        return new(name, flat.view(count, 2), classes == 0 ? null : Render.Turns(first, count, classes),
            classes == 0 ? null : [.. Enumerable.Range(0, classes).Select(k => k.ToString(System.Globalization.CultureInfo.InvariantCulture))]) { Kind = "procedural" };
    }
}
