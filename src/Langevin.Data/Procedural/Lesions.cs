using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// Scans with a lesion that experts outline differently, 32×32 grey, as the lung nodules of LIDC are: channel 0 is the scan, channels 1 to 4
/// are the masks of four raters, black and white. The edge is soft, so that raters see it at different depths, and each one's hand wavers
/// along it in a way of its own; the fainter a lesion, the more often a rater marks nothing. Item i is a pure function of (seed, i).
/// </summary>
public static class Lesions
{
    /// <summary>Sides of a scan.</summary>
    public const int Size = 32;

    /// <summary>Raters.</summary>
    public const int Raters = 4;

    /// <summary>Draws items first..first + count − 1 in parallel.</summary>
    /// <param name="count">Number of items, at least 1.</param>
    /// <param name="seed">Decides the scans.</param>
    /// <param name="first">Number of the first item; a range of its own gives a held-out set.</param>
    public static ArrayDataset Create(int count = 2000, long seed = 0, long first = 0) =>
        new("lesions", Render.Images("lesions", count, 1 + Raters, Size, () => 0, (_, i, target) => Draw(new(seed, 0x4c4553, first + i), target))) { Kind = "procedural" };

    private static void Draw(SeededRandom random, Span<byte> target)
    {
        double x0 = random.Uniform(10, 22), y0 = random.Uniform(10, 22), radius = random.Uniform(3.5, 7), contrast = random.Uniform(0.25, 0.9);
        double stretch = random.Uniform(0.7, 1.3), turn = random.Uniform(0, Math.PI), soft = random.Uniform(0.12, 0.35);
        var waves = new (double Size, double Phase)[3];
        for (int k = 0; k < 3; k++) waves[k] = (random.Jitter(0.12), random.Uniform(0, 2 * Math.PI));
        var texture = new (double X, double Y, double Phase)[4];
        for (int k = 0; k < 4; k++) texture[k] = (random.Jitter(0.5), random.Jitter(0.5), random.Uniform(0, 2 * Math.PI));
        // A rater draws where the lesion is so many softnesses from its edge, more or less around it, and marks nothing where it is too faint for him.
        var edges = new double[Raters];
        var hands = new (double Size, double Phase)[Raters, 4];
        for (int r = 0; r < Raters; r++)
        {
            edges[r] = random.NextDouble() < 0.6 * (1 - contrast) ? double.NegativeInfinity : random.Jitter(0.9) * soft;
            for (int k = 0; k < 4; k++) hands[r, k] = (random.Jitter(0.35) * soft, random.Uniform(0, 2 * Math.PI));
        }
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                double dx = x - x0, dy = y - y0, u = (dx * Math.Cos(turn) + dy * Math.Sin(turn)) / stretch, v = (dy * Math.Cos(turn) - dx * Math.Sin(turn)) * stretch;
                double angle = Math.Atan2(v, u), edge = radius;
                for (int k = 0; k < 3; k++) edge += radius * waves[k].Size * Math.Cos((k + 2) * angle + waves[k].Phase);
                double depth = Math.Sqrt(u * u + v * v) / edge - 1; // 0 on the edge, negative within
                double value = 0.3 + contrast * 0.6 / (1 + Math.Exp(depth / soft * 3));
                foreach (var (fx, fy, phase) in texture) value += 0.03 * Math.Cos(fx * x + fy * y + phase);
                target[y * Size + x] = (byte)Math.Clamp(255 * (value + 0.03 * random.Normal()), 0, 255);
                for (int r = 0; r < Raters; r++)
                {
                    double drawn = edges[r];
                    for (int k = 0; k < 4; k++) drawn += hands[r, k].Size * Math.Cos((k + 1) * angle + hands[r, k].Phase);
                    target[((r + 1) * Size + y) * Size + x] = (byte)(depth < drawn ? 255 : 0);
                }
            }
    }
}
