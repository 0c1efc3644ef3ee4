using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>
/// Distinct-n (Li, Galley, Brockett, Gao and Dolan 2016, arXiv:1510.03055): the number of different n-grams over the
/// number of all. Near 0 for texts that repeat themselves, 1 where no n-gram occurs twice.
/// </summary>
/// <remarks>The share falls as texts get longer or more: compare only equal amounts of text.</remarks>
public static class DistinctNgrams
{
    /// <summary>Over all texts taken together; no n-gram reaches across two texts.</summary>
    /// <param name="texts">Token sequences, at least one of n tokens.</param>
    /// <param name="n">1 for distinct-1.</param>
    public static double Corpus<T>(IReadOnlyList<IReadOnlyList<T>> texts, int n) where T : notnull
    {
        var counts = Count(texts, n);
        long all = counts.Sum(c => (long)c.Values.Sum());
        if (all == 0) throw new ArgumentException($"no text has {n} tokens", nameof(texts));
        return counts.SelectMany(c => c.Keys).Distinct().Count() / (double)all;
    }

    /// <summary>Within each text by itself, float64 [N]; 0 for a text of fewer than n tokens.</summary>
    /// <param name="texts">N token sequences.</param>
    /// <param name="n">1 for distinct-1.</param>
    public static Tensor Each<T>(IReadOnlyList<IReadOnlyList<T>> texts, int n) where T : notnull =>
        Texts.Scores([.. Count(texts, n).Select(c => c.Count / (double)Math.Max(1, c.Values.Sum()))]);

    private static List<Dictionary<int, int>> Count<T>(IReadOnlyList<IReadOnlyList<T>> texts, int n) where T : notnull
    {
        Texts.Check(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var index = new NgramIndex<T>();
        return [.. texts.Select(t => index.Count(t, n)[n - 1])];
    }
}
