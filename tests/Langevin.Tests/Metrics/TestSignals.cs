using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Signals that any language makes to the last digit or nearly so, for comparison with figures of other libraries.</summary>
internal static class TestSignals
{
    /// <summary>x ← (1103515245 x + 12345) mod 2³¹ from the seed on, as x / 2³¹ − ½, float64 [n].</summary>
    public static Tensor Noise(int n, long seed)
    {
        var values = new double[n];
        for (int i = 0; i < n; i++) values[i] = (seed = (1103515245 * seed + 12345) % (1L << 31)) / 2147483648.0 - 0.5;
        return tensor(values, float64);
    }

    /// <summary>Three syllables a second of twenty harmonics of 120 Hz, each at its own beat, with silence between, float64 [n].</summary>
    public static Tensor Voice(int n, double rate)
    {
        var values = new double[n];
        for (int i = 0; i < n; i++)
        {
            double t = i / rate, sum = 0;
            for (int h = 1; h <= 20; h++) sum += Math.Sin(2 * Math.PI * 120 * h * t) / h * (1 + 0.5 * Math.Sin(2 * Math.PI * 0.7 * h * t));
            values[i] = Math.Max(0, Math.Sin(2 * Math.PI * 3 * t)) * sum;
        }
        return tensor(values, float64);
    }
}
