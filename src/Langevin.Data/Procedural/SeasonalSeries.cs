using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>Series of two channels with a season and noise whose strength follows it. Item i is a pure function of (seed, i).</summary>
/// <remarks>
/// With θ_t = 2π t/24 + φ and a phase φ and amplitude a of the item's own: x_t = a sin θ_t + e_t, where e_t = 0.7 e_{t−1} + σ_t z_t and
/// σ_t = 0.15 exp(cos θ_t); the second channel is y_t = 0.6 x_{t−1} + 0.4 cos 2θ_t + 0.1 z′_t. Both have about unit variance.
/// </remarks>
public static class SeasonalSeries
{
    /// <summary>Steps of a season.</summary>
    public const int Season = 24;

    private const int Most = 10_000_000, WarmUp = 48;

    /// <summary>float32 [count, 2, length].</summary>
    /// <param name="count">Number of series.</param>
    /// <param name="seed">Decides them.</param>
    /// <param name="first">Number of the first.</param>
    /// <param name="length">Steps of one, at least 2.</param>
    public static ArrayDataset Create(int count = 10_000, long seed = 0, long first = 0, int length = 96)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        if (count < 1 || (long)count * length > Most) throw new ArgumentOutOfRangeException(nameof(count), count, $"'seasons' can have 1 to {Most / length} series of {length} steps.");
        var values = new float[2 * count * length];
        Parallel.For(0, (count + 63) / 64, block =>
        {
            for (int i = block * 64; i < Math.Min(count, (block + 1) * 64); i++)
            {
                var random = new SeededRandom(seed, stream: 0x534552, item: first + i);
                double phase = random.Uniform(0, 2 * Math.PI), amplitude = random.Uniform(0.7, 1.3), noise = 0, before = 0;
                for (int t = -WarmUp; t < length; t++)
                {
                    double angle = 2 * Math.PI * t / Season + phase;
                    noise = 0.7 * noise + 0.15 * Math.Exp(Math.Cos(angle)) * random.Normal();
                    double x = amplitude * Math.Sin(angle) + noise, y = 0.6 * before + 0.4 * Math.Cos(2 * angle) + 0.1 * random.Normal();
                    before = x;
                    if (t >= 0) (values[2 * i * length + t], values[(2 * i + 1) * length + t]) = ((float)x, (float)y);
                }
            }
        });
        using var scope = NewDisposeScope();
        return new("seasons", tensor(values).view(count, 2, length)) { Kind = "procedural" };
    }
}
