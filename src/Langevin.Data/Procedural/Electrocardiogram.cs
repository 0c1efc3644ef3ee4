using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>What disturbs an ECG.</summary>
public enum EcgNoise
{
    /// <summary>Baseline wander: breathing and sweat, below about 1 Hz.</summary>
    BaselineWander,

    /// <summary>Muscle artefact: bursts between about 15 and 90 Hz.</summary>
    Muscle,

    /// <summary>Electrode motion: jumps that decay within a second, in the band of the heartbeat itself.</summary>
    ElectrodeMotion,
}

/// <summary>
/// Electrocardiograms and their disturbances, drawn on the spot: heartbeats are sums of Gaussian waves P, Q, R, S and T about beats whose
/// intervals vary with breathing (the waves of McSharry et al. 2003, ECGSYN, in closed form). Item i is a pure function of (seed, i).
/// </summary>
/// <remarks>
/// Items differ as patients and leads do: rate (45 to 120 beats a minute), amplitudes, widths, polarity, flat or inverted T waves, wide
/// QRS complexes, early wide beats. The baseline is 0 throughout and the P–T amplitude about 1 mV.
/// </remarks>
public static class Electrocardiogram
{
    private const long Most = 1L << 31;

    /// <summary>Heartbeats without noise, float32 [count, 1, length] in mV.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="length">Samples of one.</param>
    /// <param name="rate">Samples per second.</param>
    /// <param name="seed">Decides the patients.</param>
    /// <param name="first">Number of the first item; a range of its own gives a held-out set.</param>
    public static ArrayDataset Create(int count = 4000, int length = 512, double rate = 360, long seed = 0, long first = 0) =>
        Make("ecg", count, length, rate, seed, stream: 0x454347, first, Beats);

    /// <summary>Disturbances, float32 [count, 1, length], each 1 from its lowest to its highest value.</summary>
    /// <param name="kind">Of which kind.</param>
    /// <param name="count">Number of items.</param>
    /// <param name="length">Samples of one.</param>
    /// <param name="rate">Samples per second.</param>
    /// <param name="seed">Decides the disturbances.</param>
    /// <param name="first">Number of the first item.</param>
    public static ArrayDataset Noise(EcgNoise kind, int count = 4000, int length = 512, double rate = 360, long seed = 0, long first = 0) =>
        Make("ecg-noise", count, length, rate, seed, stream: 0x4e4f49 + (long)kind, first, kind switch
        {
            EcgNoise.BaselineWander => Wander,
            EcgNoise.Muscle => Muscle,
            EcgNoise.ElectrodeMotion => Motion,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
        });

    private delegate void Draw(ref SeededRandom random, Span<float> target, double rate);

    private static ArrayDataset Make(string name, int count, int length, double rate, long seed, long stream, long first, Draw draw)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        if (count < 1 || (long)count * length > Most / sizeof(float)) throw new ArgumentOutOfRangeException(nameof(count), count, $"'{name}' can have 1 to {Most / sizeof(float) / length} items of {length} samples.");
        var values = new float[(long)count * length];
        Parallel.For(0, count, i =>
        {
            var random = new SeededRandom(seed, stream, first + i);
            draw(ref random, values.AsSpan(i * length, length), rate);
        });
        using var flat = frombuffer(values, ScalarType.Float32);
        return new(name, flat.view(count, 1, length), labels: null) { Kind = "procedural" };
    }

    private readonly record struct Wave(double Height, double Time, double Width);

    private static void Beats(ref SeededRandom random, Span<float> target, double rate)
    {
        double interval = 60 / random.Uniform(45, 120), breath = random.Uniform(0.15, 0.35), depth = random.Uniform(0, 0.08), phase = random.Uniform(0, 2 * Math.PI);
        double size = Math.Exp(random.Jitter(0.25)) * (random.NextDouble() < 0.15 ? -1 : 1), wide = random.NextDouble() < 0.2 ? random.Uniform(1.5, 2.2) : random.Uniform(0.8, 1.3);
        double early = random.NextDouble() < 0.15 ? 0.2 : 0, tail = random.NextDouble() < 0.2 ? random.Uniform(-0.3, 0.05) : random.Uniform(0.12, 0.5);
        Span<Wave> waves =
        [
            new(random.Uniform(0.05, 0.2), -0.17, random.Uniform(0.018, 0.028)),
            new(-random.Uniform(0, 0.2), -0.028 * wide, 0.009 * wide),
            new(random.Uniform(0.6, 1.3), 0, 0.011 * wide),
            new(-random.Uniform(0, 0.6), 0.028 * wide, 0.010 * wide),
            new(0.5 * tail, 0.22, 0.045), // a T wave rises more slowly than it falls
            new(0.75 * tail, 0.27, 0.032),
        ];
        double end = target.Length / rate + 1;
        for (double at = -random.Uniform(0, interval) - interval; at < end;)
        {
            bool ectopic = random.NextDouble() < early;
            double next = interval * (1 + depth * Math.Sin(2 * Math.PI * breath * at + phase) + random.Jitter(0.02)), scale = Math.Sqrt(Math.Min(next, 1.2));
            for (int w = 0; w < waves.Length; w++)
            {
                var (height, time, width) = waves[w];
                // An early beat begins in a ventricle: no P wave, a wide complex, the T wave against it.
                if (ectopic) (height, time, width) = w switch { 0 => (0, time, width), < 4 => (1.2 * height, 1.8 * time, 2.2 * width), _ => (-0.8 * height, time + 0.05, width) };
                Add(target, rate, at + time * (w is 0 or > 3 ? scale : 1), width, size * height * (1 + random.Jitter(0.03)));
            }
            at += ectopic ? 1.3 * next : random.NextDouble() < early ? 0.7 * next : next;
        }
    }

    private static void Add(Span<float> target, double rate, double centre, double width, double height)
    {
        int from = Math.Max(0, (int)((centre - 6 * width) * rate)), to = Math.Min(target.Length - 1, (int)((centre + 6 * width) * rate) + 1);
        for (int i = from; i <= to; i++)
        {
            double z = (i / rate - centre) / width;
            target[i] += (float)(height * Math.Exp(-0.5 * z * z));
        }
    }

    private static void Wander(ref SeededRandom random, Span<float> target, double rate)
    {
        for (int wave = 0; wave < 5; wave++)
        {
            double frequency = random.Uniform(0.05, 0.5), amplitude = random.Normal() / (1 + 2 * frequency), phase = random.Uniform(0, 2 * Math.PI);
            for (int i = 0; i < target.Length; i++) target[i] += (float)(amplitude * Math.Sin(2 * Math.PI * frequency * i / rate + phase));
        }
        // A random walk of the same size over a second, smoothed over a quarter of one.
        double walk = 0, smooth = 0, step = 0.5 / Math.Sqrt(rate), follow = 1 - Math.Exp(-4 / rate);
        for (int i = 0; i < target.Length; i++)
        {
            walk += step * random.Normal();
            smooth += follow * (walk - smooth);
            target[i] += (float)smooth;
        }
        ToUnit(target);
    }

    private static void Muscle(ref SeededRandom random, Span<float> target, double rate)
    {
        double low = Pole(15), high = Pole(Math.Min(90, 0.4 * rate)), slow = 0, once = 0, twice = 0, steady = random.Uniform(0.1, 0.6);
        double burst = random.Uniform(0, target.Length / rate), width = random.Uniform(0.1, 0.6);
        for (int i = -(int)rate; i < target.Length; i++)
        {
            // Two one-pole low-passes less a slow one: a band.
            double white = random.Normal();
            once += high * (white - once);
            twice += high * (once - twice);
            slow += low * (twice - slow);
            double z = (i / rate - burst) / width;
            if (i >= 0) target[i] = (float)((twice - slow) * (steady + Math.Exp(-0.5 * z * z)));
        }
        ToUnit(target);

        double Pole(double frequency) => 1 - Math.Exp(-2 * Math.PI * frequency / rate);
    }

    private static void Motion(ref SeededRandom random, Span<float> target, double rate)
    {
        double seconds = target.Length / rate;
        // At least one jump in reach, else there is no disturbance.
        int jumps = 1 + (int)(random.NextDouble() * 2 * (seconds + 1));
        for (int jump = 0; jump < jumps; jump++)
        {
            double at = jump == 0 ? random.Uniform(0, 0.8 * seconds) : random.Uniform(-1, seconds), rise = random.Uniform(0.01, 0.12), fall = random.Uniform(0.1, 0.8), height = random.Normal();
            for (int i = Math.Max(0, (int)Math.Ceiling(at * rate)); i < target.Length; i++)
            {
                double t = i / rate - at;
                target[i] += (float)(height * (1 - Math.Exp(-t / rise)) * Math.Exp(-t / fall));
            }
        }
        ToUnit(target);
    }

    private static void ToUnit(Span<float> target)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (float v in target) (low, high) = (Math.Min(low, v), Math.Max(high, v));
        foreach (ref float v in target) v /= high - low;
    }
}
