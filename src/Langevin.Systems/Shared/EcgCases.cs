using Langevin.Data;
using Langevin.Data.Formats;
using Langevin.Data.Procedural;
using Langevin.Metrics.Signals;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>
/// Noisy electrocardiograms and what lies beneath. They are three windows long, and the middle one is judged: filters may look at what is
/// around it, as they can in use.
/// </summary>
/// <param name="Clean">[N, 1, 3L] in mV.</param>
/// <param name="Noisy">[N, 1, 3L] in mV.</param>
/// <param name="Level">[N], the noise from its lowest to its highest value, over that of the clean signal, in the middle window.</param>
public sealed record EcgCases(Tensor Clean, Tensor Noisy, Tensor Level)
{
    private const int RecordRate = 360;
    private static readonly EcgNoise[] Kinds = Enum.GetValues<EcgNoise>();

    /// <summary>The middle window.</summary>
    /// <param name="signals">[N, 1, 3L].</param>
    public static Tensor Middle(Tensor signals)
    {
        ArgumentNullException.ThrowIfNull(signals);
        return signals.narrow(2, signals.size(2) / 3, signals.size(2) / 3);
    }

    /// <summary>Drawn on the spot: patients and noise that no training saw.</summary>
    /// <param name="count">N.</param>
    /// <param name="window">L.</param>
    /// <param name="rate">Samples per second.</param>
    public static EcgCases Drawn(int count, int window, double rate)
    {
        const long HeldOut = 1L << 40;
        using var clean = Electrocardiogram.Create(count, 3 * window, rate, first: HeldOut);
        var noise = Kinds.Select(k => { using var set = Electrocardiogram.Noise(k, count, 3 * window, rate, first: HeldOut); return set.Items.clone(); }).ToArray();
        using var generator = new Generator(1);
        return Of(clean.Items.clone(), noise, rand([count, 4], generator: generator), Middle);
    }

    /// <summary>Records 100 and 118 of the MIT-BIH arrhythmia database under recordings of the noise stress test database; null where they are not there.</summary>
    /// <param name="trial">Knows the data folder.</param>
    /// <param name="count">N.</param>
    /// <param name="window">L.</param>
    /// <param name="rate">Samples per second.</param>
    public static EcgCases? Recorded(Trial trial, int count, int window, int rate)
    {
        ArgumentNullException.ThrowIfNull(trial);
        string?[] files = [.. new[] { "ecg/100.hea", "ecg/rec118_clean.hea", "ecg/nst_em.hea", "ecg/nst_bw_10s.csv", "ecg/nst_ma_10s.csv" }.Select(trial.RealData)];
        if (files.Contains(null)) return null;
        Tensor Pieces(Tensor signal, int start, int number)
        {
            var x = Resampling.Convert(signal.unsqueeze(0), RecordRate, rate)[0].to(ScalarType.Float32);
            long step = Math.Max(1, (x.size(0) - start - 3 * window) / Math.Max(1, number - 1));
            return stack([.. Enumerable.Range(0, number).Select(i => x.narrow(0, start + i * step, 3 * window))]).unsqueeze(1);
        }
        Tensor Record(string file)
        {
            using var record = SignalFile.Load(file);
            return record.Samples[0].narrow(0, 0, Math.Min(record.Samples.size(1), 300L * RecordRate)).clone(); // the first five minutes
        }
        Tensor Table(string file)
        {
            using var table = Csv.Open(file);
            return table.Items.flatten() / 200; // 200 steps of the converter are 1 mV
        }
        // In halves: the one record, then the other.
        int half = (count + 1) / 2;
        var clean = cat([Pieces(Record(files[0]!), 0, half), Pieces(Record(files[1]!), 0, count - half)]);
        clean = clean - Middle(clean).kthvalue(window / 2, 2, keepdim: true).values; // the isoelectric line at 0, near enough
        Tensor[] noise = [Pieces(Table(files[3]!), 0, count), Pieces(Table(files[4]!), 0, count), Pieces(Record(files[2]!), 0, count)];
        using var generator = new Generator(2);
        return Of(clean, noise, rand([count, 4], generator: generator), Middle);
    }

    /// <summary>
    /// Signals under noise: baseline wander, muscle and electrode motion in random proportion, together 0.2 to 2 times the signal from their
    /// lowest to their highest value.
    /// </summary>
    /// <param name="clean">[N, 1, T].</param>
    /// <param name="noise">One of each kind, [N, 1, T].</param>
    /// <param name="chance">[N, 4] in [0, 1): the three shares and the level.</param>
    /// <param name="judged">What part the level refers to.</param>
    public static EcgCases Of(Tensor clean, IReadOnlyList<Tensor> noise, Tensor chance, Func<Tensor, Tensor>? judged = null)
    {
        ArgumentNullException.ThrowIfNull(clean);
        ArgumentNullException.ThrowIfNull(noise);
        ArgumentNullException.ThrowIfNull(chance);
        judged ??= x => x;
        Tensor Height(Tensor x) => judged(x).amax([2], keepdim: true) - judged(x).amin([2], keepdim: true);
        // Wander leads, muscle comes last, as in long recordings.
        double[] most = [1, 0.25, 0.5];
        var mixed = noise.Select((n, k) => n / Height(n).clamp_min(0.05) * most[k] * chance.narrow(1, k, 1).unsqueeze(2)).Aggregate((a, b) => a + b);
        var level = 0.2 + 1.8 * chance.narrow(1, 3, 1);
        return new(clean, clean + mixed / Height(mixed) * Height(clean) * level.unsqueeze(2), level.squeeze(1));
    }
}
