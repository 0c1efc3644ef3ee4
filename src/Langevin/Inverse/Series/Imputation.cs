using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>Gaps of series filled in: by draws of a diffusion model, and by the classical ways that it has to beat. A mask is 1 where a value is given and 0 elsewhere.</summary>
public static class Imputation
{
    /// <summary>Several draws of what is missing from each series, batches side by side on the cores.</summary>
    /// <param name="draft">Given the values [B, K, L] and the mask of a batch: what draws it.</param>
    /// <param name="grid">The times.</param>
    /// <param name="values">[N, K, L]: read only where a value is given.</param>
    /// <param name="mask">The same shape.</param>
    /// <param name="samples">S, draws of each series.</param>
    /// <param name="seed">The seed; draw j of series i follows from it and i S + j alone.</param>
    /// <param name="batchSize">The most draws in a batch.</param>
    /// <param name="progress">Told after each step: the share done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>[N, S, K, L], what is given in its place; the caller's.</returns>
    public static Tensor Draw(Func<Tensor, Tensor, Draft> draft, TimeGrid grid, Tensor values, Tensor mask, int samples, long seed, int batchSize = 32,
        Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Check(values, mask);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        int count = checked((int)values.shape[0] * samples);
        using var drawn = Batches.Draw(Part, count, batchSize, values.shape[1..], grid, seed, progress: progress, cancellation: cancellation).Samples;
        return WrappedTensorDisposeScope(() =>
            where(mask.ne(0).unsqueeze(1), values.unsqueeze(1), drawn.view([values.shape[0], samples, .. values.shape[1..]]).to(values.dtype)));

        Draft Part(int first, int length)
        {
            var index = (arange(first, first + length) / samples).floor().to(ScalarType.Int64);
            var given = mask.index_select(0, index);
            return draft(values.index_select(0, index) * given, given);
        }
    }

    /// <summary>The draws' median at each place, [N, K, L] from [N, S, K, L]: of an even number the lower of the two in the middle.</summary>
    public static Tensor Median(Tensor draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        return WrappedTensorDisposeScope(() => draws.sort(1).Values.select(1, (draws.shape[1] - 1) / 2));
    }

    /// <summary>The mean of what is given of the feature in that series; 0, the mean of standardised data, where nothing is.</summary>
    /// <returns>[N, K, L].</returns>
    public static Tensor Mean(Tensor values, Tensor mask)
    {
        Check(values, mask);
        return WrappedTensorDisposeScope(() =>
        {
            var mean = (values * mask).sum(-1, keepdim: true) / mask.sum(-1, keepdim: true).clamp_min(1);
            return where(mask.ne(0), values, mean);
        });
    }

    /// <summary>The last value given before, or the first one after, or 0.</summary>
    /// <returns>[N, K, L].</returns>
    public static Tensor LastObserved(Tensor values, Tensor mask) => Fill(values, mask, (row, before, after, _) => row[before >= 0 ? before : after]);

    /// <summary>The line between the values given on both sides; the nearest value at the ends, or 0.</summary>
    /// <returns>[N, K, L].</returns>
    public static Tensor Linear(Tensor values, Tensor mask) => Fill(values, mask, (row, before, after, at) =>
        before < 0 ? row[after] : after < 0 ? row[before] : row[before] + (row[after] - row[before]) * (at - before) / (after - before));

    private delegate float Filling(ReadOnlySpan<float> row, int before, int after, int at);

    private static Tensor Fill(Tensor values, Tensor mask, Filling filling)
    {
        Check(values, mask);
        int length = (int)values.shape[2];
        using var scope = NewDisposeScope();
        float[] x = Flat(values), m = Flat(mask), filled = [.. x];
        for (int start = 0; start < x.Length; start += length)
        {
            var row = x.AsSpan(start, length);
            int before = -1, after = 0;
            for (int at = 0; at < length; at++)
            {
                if (m[start + at] != 0) { before = at; continue; }
                if (after <= at && after >= 0)
                    for (after = at + 1; after < length && m[start + after] == 0;) after++;
                if (after >= length) after = -1;
                filled[start + at] = before < 0 && after < 0 ? 0 : filling(row, before, after, at);
            }
        }
        return tensor(filled).view(values.shape).to(values.dtype).to(values.device).MoveToOuterDisposeScope();
    }

    private static float[] Flat(Tensor t) => t.detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();

    private static void Check(Tensor values, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(mask);
        if (values.dim() != 3 || values.numel() == 0 || !mask.shape.SequenceEqual(values.shape))
            throw new ArgumentException($"The values are [{string.Join(", ", values.shape)}] and the mask [{string.Join(", ", mask.shape)}]: expected [N, K, L] both.", nameof(values));
    }
}
