namespace Langevin.Data;

/// <summary>
/// The numbers of NumPy's <c>numpy.random.seed</c>, <c>rand</c>, <c>permutation</c>, <c>shuffle</c> and <c>choice</c> (its legacy generator, MT19937
/// of Matsumoto and Nishimura 1998): published splits and masks that were drawn with them can be drawn again.
/// </summary>
public sealed class NumPyRandom
{
    private const int Length = 624, Shift = 397;
    private const uint Twist = 0x9908b0df, Upper = 0x80000000;
    private readonly uint[] state = new uint[Length];
    private int next = Length;

    /// <summary>As <c>numpy.random.seed(seed)</c> leaves it.</summary>
    public NumPyRandom(uint seed)
    {
        state[0] = seed;
        for (int i = 1; i < Length; i++) state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >> 30)) + (uint)i;
    }

    /// <summary>The generator's next 32 bits.</summary>
    public uint NextUInt32()
    {
        if (next == Length) Refill();
        uint y = state[next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    /// <summary><c>rand()</c>: uniform in [0, 1) with 53 bits.</summary>
    public double NextDouble() => ((NextUInt32() >> 5) * 67108864.0 + (NextUInt32() >> 6)) / 9007199254740992.0;

    /// <summary>Uniform in 0..<paramref name="most"/>: as many bits as it has, drawn until they are not above it.</summary>
    /// <param name="most">The largest, at least 0.</param>
    public int Interval(int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        if (most == 0) return 0;
        uint mask = uint.MaxValue >> System.Numerics.BitOperations.LeadingZeroCount((uint)most), value;
        do value = NextUInt32() & mask;
        while (value > most);
        return (int)value;
    }

    /// <summary><c>shuffle(items)</c>, in place.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Interval(i);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary><c>permutation(n)</c> of 0..n−1.</summary>
    public int[] Permutation(int n)
    {
        int[] order = [.. Enumerable.Range(0, n)];
        Shuffle(order.AsSpan());
        return order;
    }

    /// <summary><c>choice(items, count, replace=False)</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer items.</exception>
    public T[] Choice<T>(IReadOnlyList<T> items, int count)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (count < 0 || count > items.Count) throw new ArgumentOutOfRangeException(nameof(count), count, $"There are {items.Count} items to choose from.");
        return [.. Permutation(items.Count).Take(count).Select(i => items[i])];
    }

    private void Refill()
    {
        for (int i = 0; i < Length; i++)
        {
            uint y = (state[i] & Upper) | (state[(i + 1) % Length] & ~Upper);
            state[i] = state[(i + Shift) % Length] ^ (y >> 1) ^ ((y & 1) * Twist);
        }
        next = 0;
    }
}
