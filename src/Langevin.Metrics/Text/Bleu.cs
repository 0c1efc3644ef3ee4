using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>What to do where a candidate shares no n-gram of some order with its references (Chen and Cherry 2014, W14-3346).</summary>
public enum BleuSmoothing
{
    /// <summary>Nothing: the score is 0.</summary>
    None,

    /// <summary>Their method 1: a count of 0 becomes a small number.</summary>
    AddEpsilon,
}

/// <summary>
/// BLEU (Papineni, Roukos, Ward and Zhu 2002, P02-1040): the geometric mean of the clipped n-gram precisions of orders
/// 1, ..., n, times exp(1 − r/c) where the candidates' length c does not exceed r, the length of the closest references
/// (the shorter of two equally close). From 0 to 1.
/// </summary>
/// <remarks>
/// As NLTK computes it, save that a corpus score adds nothing to the number of n-grams for a candidate shorter than n
/// (NLTK adds 1), as in the paper. A score without a common word is 0 whatever the smoothing.
/// </remarks>
public static class Bleu
{
    /// <summary>BLEU-n of a corpus: counts are summed over the items before the ratios are taken.</summary>
    /// <param name="candidates">N token sequences.</param>
    /// <param name="references">The references of each, at least one, none empty.</param>
    /// <param name="order">The longest n-gram: 4 for BLEU-4, at least 1.</param>
    /// <param name="smoothing">What to do about counts of 0.</param>
    /// <param name="epsilon">The count that stands for 0 where smoothed.</param>
    public static double Corpus<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        int order = 4, BleuSmoothing smoothing = BleuSmoothing.None, double epsilon = 0.1) where T : notnull
    {
        using var counts = Counts(candidates, references, order);
        return FromCounts(counts, order, smoothing, epsilon);
    }

    /// <summary>BLEU-n of each item by itself, float64 [N].</summary>
    /// <inheritdoc cref="Corpus"/>
    public static Tensor Sentences<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        int order = 4, BleuSmoothing smoothing = BleuSmoothing.None, double epsilon = 0.1) where T : notnull
    {
        CheckSmoothing(smoothing, epsilon);
        return Texts.Scores([.. CountRows(candidates, references, order).Select(row => Score(row, order, smoothing, epsilon))]);
    }

    /// <summary>
    /// What corpus scores are made of, item by item, float64 [N, 2 n + 2]: clipped matches of orders 1, ..., n, n-grams of
    /// orders 1, ..., n, length of the candidate, length of the closest reference. Any rows of it give the score of those items.
    /// </summary>
    /// <param name="candidates">N token sequences.</param>
    /// <param name="references">The references of each, at least one, none empty.</param>
    /// <param name="order">The longest n-gram.</param>
    public static Tensor Counts<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references, int order = 4) where T : notnull =>
        Texts.Rows(CountRows(candidates, references, order));

    /// <summary>BLEU-n of the items whose counts are given.</summary>
    /// <param name="counts">Rows of <see cref="Counts"/>, [M, 2 n' + 2] with n' ≥ n.</param>
    /// <param name="order">The longest n-gram n.</param>
    /// <param name="smoothing">What to do about counts of 0.</param>
    /// <param name="epsilon">The count that stands for 0 where smoothed.</param>
    public static double FromCounts(Tensor counts, int order = 4, BleuSmoothing smoothing = BleuSmoothing.None, double epsilon = 0.1)
    {
        CheckSmoothing(smoothing, epsilon);
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        Require.Matrix(counts);
        long columns = counts.size(1);
        if (columns % 2 != 0 || columns < 2 * order + 2)
            throw new ArgumentException($"expected counts [N, 2 n + 2] up to n = {order} at least, got {Require.Shape(counts)}", nameof(counts));
        return Score(Texts.Sum(counts, columns), order, smoothing, epsilon);
    }

    private static List<double[]> CountRows<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references, int order) where T : notnull
    {
        Texts.Check(candidates, references);
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        var index = new NgramIndex<T>();
        return [.. candidates.Zip(references, (candidate, own) =>
        {
            var counted = index.Count(candidate, order);
            var allowed = own.Select(r => index.Count(r, order)).ToArray();
            var row = new double[2 * order + 2];
            for (int n = 0; n < order; n++)
            {
                row[n] = counted[n].Sum(c => Math.Min(c.Value, allowed.Max(a => a[n].GetValueOrDefault(c.Key))));
                row[order + n] = Math.Max(0, candidate.Count - n);
            }
            row[^2] = candidate.Count;
            row[^1] = own.Select(r => r.Count).MinBy(length => (Math.Abs(length - candidate.Count), length));
            return row;
        })];
    }

    private static double Score(double[] row, int order, BleuSmoothing smoothing, double epsilon)
    {
        int longest = row.Length / 2 - 1;
        if (row[0] == 0) return 0;
        double logarithms = 0;
        for (int n = 0; n < order; n++)
        {
            double matches = row[n];
            if (matches == 0)
            {
                if (smoothing == BleuSmoothing.None) return 0;
                matches = epsilon;
            }
            logarithms += Math.Log(matches / Math.Max(1, row[longest + n]));
        }
        double brevity = Math.Min(0, 1 - row[^1] / row[^2]);
        return Math.Exp(brevity + logarithms / order);
    }

    private static void CheckSmoothing(BleuSmoothing smoothing, double epsilon)
    {
        if (!Enum.IsDefined(smoothing)) throw new ArgumentOutOfRangeException(nameof(smoothing), smoothing, "unknown smoothing");
        if (!(epsilon is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "must be between 0 and 1, e.g. 0.1");
    }
}
