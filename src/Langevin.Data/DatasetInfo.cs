using System.Globalization;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>What a set holds, found by one pass over it.</summary>
/// <param name="Name">The set's name.</param>
/// <param name="Kind">What it was made from.</param>
/// <param name="Count">Number of items.</param>
/// <param name="ItemShape">Shape of one item: C, H, W for images, D for vectors.</param>
/// <param name="Classes">Classes and how many items each has; empty without labels.</param>
/// <param name="Min">Smallest finite value.</param>
/// <param name="Max">Largest finite value.</param>
/// <param name="Mean">Mean of each channel (images, sequences) or component (vectors), of the finite values.</param>
/// <param name="Std">Standard deviation of the same.</param>
/// <param name="Warnings">What may spoil training, a sentence each.</param>
public sealed record DatasetInfo(
    string Name, string Kind, int Count, long[] ItemShape, IReadOnlyList<ClassCount> Classes,
    double Min, double Max, double[] Mean, double[] Std, IReadOnlyList<string> Warnings)
{
    private const int BatchSize = 512;

    /// <summary>Looks at every item of a set.</summary>
    /// <param name="set">The set.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was triggered.</exception>
    public static DatasetInfo Of(IDataset set, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        long channels = set.ItemShape[0], notFinite = 0, constant = 0, duplicates = 0;
        bool pixels = set.ItemShape.Length == 3;
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        Tensor count = zeros(channels, ScalarType.Float64), sum = zeros_like(count), squares = zeros_like(count), shift = zeros_like(count);
        var perClass = new long[set.ClassCount];
        var seen = new HashSet<(ulong, ulong)>();
        bool first = true;
        foreach (var batch in set.InOrder(BatchSize))
            using (batch)
            using (NewDisposeScope())
            {
                cancellation.ThrowIfCancellationRequested();
                var x = batch.Samples.contiguous().view(batch.Count, channels, -1);
                var finite = x.isfinite();
                long bad = finite.logical_not().sum().item<long>();
                notFinite += bad;
                var clean = bad == 0 ? x : x.nan_to_num(0, 0, 0);
                if (bad < x.numel())
                {
                    low = Math.Min(low, bad == 0 ? x.min().item<float>() : x[finite].min().item<float>());
                    high = Math.Max(high, bad == 0 ? x.max().item<float>() : x[finite].max().item<float>());
                }
                // Sums about a value near the mean lose no digits to cancellation.
                var number = finite.sum([0L, 2], type: ScalarType.Float64);
                if (first) shift.copy_((clean.sum([0L, 2], type: ScalarType.Float64) / number.clamp_min(1)).to(ScalarType.Float32));
                first = false;
                var centred = clean - shift.to(ScalarType.Float32).view(1, -1, 1);
                if (bad > 0) centred.mul_(finite);
                count.add_(number);
                sum.add_(centred.sum([0L, 2], type: ScalarType.Float64));
                squares.add_(centred.square().sum([0L, 2], type: ScalarType.Float64));
                var rows = clean.view(batch.Count, -1);
                if (rows.shape[1] > 1) constant += rows.amax([1L]).eq(rows.amin([1L])).sum().item<long>();
                duplicates += Repeats(rows, seen);
                if (batch.Labels is { } labels)
                    foreach (long label in labels.data<long>())
                        if ((ulong)label < (ulong)perClass.Length) perClass[label]++;
            }

        var mean = sum / count;
        double[] std = (squares / count - mean.square()).clamp_min(0).sqrt().data<double>().ToArray();
        ClassCount[] classes = [.. perClass.Select((n, k) => new ClassCount(set.ClassNames[k], n))];
        return new(set.Name, set.Kind, set.Count, set.ItemShape, classes, low, high, (shift + mean).data<double>().ToArray(), std,
            [.. Judge(set, classes, pixels, low, high, notFinite, constant, duplicates, std)]);
    }

    // 128 bits of a hash tell items apart; only a set built to deceive would collide.
    private static long Repeats(Tensor rows, HashSet<(ulong, ulong)> seen)
    {
        long repeats = 0;
        int width = checked((int)(rows.shape[1] * sizeof(float)));
        var bytes = rows.contiguous().bytes;
        for (int i = 0; i < (int)rows.shape[0]; i++)
        {
            ulong a = 1, b = 2;
            foreach (uint word in MemoryMarshal.Cast<byte, uint>(bytes.Slice(i * width, width)))
            {
                a = SeededRandom.Mix(a ^ word);
                b = (b + word) * 0x9E3779B97F4A7C15 ^ b >> 29;
            }
            if (!seen.Add((a, b))) repeats++;
        }
        return repeats;
    }

    private static IEnumerable<string> Judge(IDataset set, ClassCount[] classes, bool pixels, double low, double high, long notFinite, long constant, long duplicates, double[] std)
    {
        if (notFinite > 0) yield return $"{notFinite} values are NaN or infinite";
        if (constant > 0) yield return $"{constant} items are constant{(pixels ? " (one colour value throughout)" : "")}";
        if (duplicates > 0) yield return $"{duplicates} items repeat an earlier one";
        if (pixels && (low < -1 || high > 1)) yield return string.Create(CultureInfo.InvariantCulture, $"pixel values lie in {low:g4}..{high:g4}, not within -1..1");
        if (!pixels && (std.Any(s => s == 0) ? "some components are constant" : std.Max() > 10 || std.Max() < 0.1 ? "the scale is far from 1" : null) is { } scale)
            yield return $"{scale}: standardise before training";
        if (set.Count < 100) yield return $"only {set.Count} items: a model will memorise them";
        if (classes.Length == 0)
        {
            yield return "no labels: only unconditional models can be trained";
            yield break;
        }
        var empty = classes.Where(c => c.Count == 0).ToArray();
        if (empty.Length > 0) yield return $"{empty.Length} of {classes.Length} classes have no items ({string.Join(", ", empty.Take(5).Select(c => c.Name))}{(empty.Length > 5 ? ", ..." : "")})";
        long most = classes.Max(c => c.Count), least = classes.Where(c => c.Count > 0).Min(c => c.Count);
        if (most > 10 * least) yield return $"classes are unbalanced: {least} to {most} items";
    }
}

/// <summary>A class and how many items it has.</summary>
public sealed record ClassCount(string Name, long Count);
