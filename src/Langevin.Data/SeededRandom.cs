namespace Langevin.Data;

/// <summary>
/// A small counter-based generator (SplitMix64): its stream is a pure function of the words that key it, the same on
/// every platform and in every .NET version, so that item i of a procedural set needs no item before it.
/// </summary>
internal struct SeededRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15; // 2^64 / golden ratio, odd
    private ulong state;

    public SeededRandom(long seed, long stream = 0, long item = 0) =>
        state = Mix(Mix(Mix((ulong)seed + Golden) ^ (ulong)stream) + Golden ^ (ulong)item);

    public ulong NextBits() => Mix(state += Golden);

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double Uniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform in 0..n−1 (multiply-shift; the bias is below n / 2^64).</summary>
    public int Next(int n) => (int)Math.BigMul(NextBits(), (ulong)n, out _);

    /// <summary>Standard normal, by Box and Muller.</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Normal(0, scale²), cut off at three standard deviations.</summary>
    public double Jitter(double scale) => scale * Math.Clamp(Normal(), -3, 3);

    /// <summary>A uniform permutation of 0..n−1 (Fisher and Yates).</summary>
    public int[] Permutation(int n)
    {
        var p = new int[n];
        for (int i = 0; i < n; i++)
        {
            int j = Next(i + 1);
            p[i] = p[j];
            p[j] = i;
        }
        return p;
    }

    /// <summary>SplitMix64's finaliser.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
