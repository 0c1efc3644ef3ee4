namespace Langevin.Objectives;

/// <summary>
/// Uniform numbers that are a function of (seed, step, index) alone: nothing to save, so a resumed run draws the same bits.
/// </summary>
internal static class CounterRandom
{
    /// <summary>A number strictly between 0 and 1, of 53 bits.</summary>
    public static double Uniform(long seed, long step, long index)
    {
        ulong bits = Mix(unchecked((ulong)index + Mix((ulong)step + Mix((ulong)seed ^ 0x54696D6573UL))));
        return ((bits >> 11) + 0.5) / (1UL << 53);
    }

    /// <summary>The standard normal quantiles of numbers in (0, 1).</summary>
    public static double[] Normal(double[] u)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return TorchSharp.torch.special.ndtri(TorchSharp.torch.tensor(u)).data<double>().ToArray();
    }

    // splitmix64's finaliser.
    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}
