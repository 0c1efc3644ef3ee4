using System.Globalization;
using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>Tables of numbers. Row i is a pure function of (seed, i).</summary>
public static class Tables
{
    private const int Most = 10_000_000, Columns = 6, Crowds = 5, Bars = 4;

    /// <summary>
    /// Two classes of very different size: "majority" is five Gaussians of deviation 1, "minority" four short bars, 3 long and 0.35 thick,
    /// that lie among them; the seed decides where. float32 [count, 6].
    /// </summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="seed">Decides the shapes and the rows.</param>
    /// <param name="first">Number of the first row.</param>
    /// <param name="share">Share of the minority, in (0, 1).</param>
    public static ArrayDataset Imbalanced(int count = 10_000, long seed = 0, long first = 0, double share = 0.05)
    {
        if (count is < 1 or > Most) throw new ArgumentOutOfRangeException(nameof(count), count, $"'imbalanced' can have 1 to {Most} rows.");
        if (!(share > 0 && share < 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "Expected a share between 0 and 1.");
        var shape = new SeededRandom(seed, stream: 0x534850);
        double[][] crowds = [.. Enumerable.Range(0, Crowds).Select(_ => Direction(ref shape, 1.5))], bars = [.. Enumerable.Range(0, Bars).Select(_ => Direction(ref shape, 1.5))];
        double[][] along = [.. Enumerable.Range(0, Bars).Select(_ => Direction(ref shape, 1)).Select(d => (double[])[.. d.Select(v => 1.5 * v / Math.Sqrt(d.Sum(w => w * w)))])];
        var values = new float[(long)count * Columns];
        var labels = new long[count];
        Parallel.For(0, (count + 4095) / 4096, block =>
        {
            for (int i = block * 4096; i < Math.Min(count, (block + 1) * 4096); i++)
            {
                var random = new SeededRandom(seed, stream: 0x544142, item: first + i);
                bool rare = random.NextDouble() < share;
                int group = random.Next(rare ? Bars : Crowds);
                double at = rare ? random.Uniform(-1, 1) : 0;
                for (int c = 0; c < Columns; c++)
                    values[(long)i * Columns + c] = (float)(rare ? bars[group][c] + at * along[group][c] + 0.35 * random.Normal() : crowds[group][c] + random.Normal());
                labels[i] = rare ? 1 : 0;
            }
        });
        using var scope = NewDisposeScope();
        return new("imbalanced", tensor(values).view(count, Columns), tensor(labels), ["majority", "minority"])
        {
            Kind = "procedural",
            ColumnNames = [.. Enumerable.Range(1, Columns).Select(c => string.Create(CultureInfo.InvariantCulture, $"x{c}"))],
        };
    }

    private static double[] Direction(ref SeededRandom random, double scale)
    {
        var v = new double[Columns];
        for (int c = 0; c < Columns; c++) v[c] = scale * random.Normal();
        return v;
    }
}
