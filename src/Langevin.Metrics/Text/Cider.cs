using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>
/// CIDEr (Vedantam, Zitnick and Parikh 2015, arXiv:1411.5726): similarity of n-grams of orders 1, ..., 4, weighed by how
/// few items of the reference corpus have them: an n-gram that occurs c times in a text and in the references of d of M
/// items weighs c · ln(M / max(1, d)). Averaged over orders and references, times 10, by item.
/// </summary>
/// <remarks>
/// Term frequencies are counts and words are not stemmed, as in the authors' code. Similarity by an order that one of the
/// texts has no weighted n-gram of is 0. Scores depend on the corpus that the frequencies come from: name it.
/// </remarks>
public static class Cider
{
    /// <summary>CIDEr (equation 2): the cosine of the weighted counts. From 0 to 10.</summary>
    /// <param name="candidates">N token sequences.</param>
    /// <param name="references">The references of each, at least one, none empty.</param>
    /// <param name="corpus">The reference sets whose items are counted, at least 2; <paramref name="references"/> when null.</param>
    /// <param name="order">The longest n-gram, at least 1.</param>
    /// <returns>float64 [N].</returns>
    public static Tensor Plain<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>>? corpus = null, int order = 4) where T : notnull =>
        Scores(candidates, references, corpus, order, (candidate, reference, n) => candidate.Dot(reference, n, clip: false));

    /// <summary>
    /// CIDEr-D (equation 7), which is what COCO's "CIDEr" computes: a candidate's weights are cut to the reference's before
    /// the product, and a Gaussian of the difference of lengths is a factor. From 0 to 10.
    /// </summary>
    /// <param name="candidates">N token sequences.</param>
    /// <param name="references">The references of each, at least one, none empty.</param>
    /// <param name="corpus">The reference sets whose items are counted, at least 2; <paramref name="references"/> when null.</param>
    /// <param name="order">The longest n-gram, at least 1.</param>
    /// <param name="sigma">Standard deviation of the Gaussian, in tokens.</param>
    /// <returns>float64 [N].</returns>
    public static Tensor D<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>>? corpus = null, int order = 4, double sigma = 6) where T : notnull
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        return Scores(candidates, references, corpus, order, (candidate, reference, n) =>
        {
            double difference = candidate.Length - reference.Length;
            return candidate.Dot(reference, n, clip: true) * Math.Exp(-difference * difference / (2 * sigma * sigma));
        });
    }

    private static Tensor Scores<T>(
        IReadOnlyList<IReadOnlyList<T>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>> references,
        IReadOnlyList<IReadOnlyList<IReadOnlyList<T>>>? corpus, int order, Func<Weights, Weights, int, double> similarity) where T : notnull
    {
        Texts.Check(candidates, references);
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        if (corpus is not null) Texts.CheckReferences(corpus);
        corpus ??= references;
        if (corpus.Count < 2)
            throw new ArgumentException("one item gives every n-gram the weight 0: frequencies need the references of at least 2 items", nameof(corpus));

        var index = new NgramIndex<T>();
        var documents = corpus.SelectMany(set => set.SelectMany(r => index.Count(r, order)).SelectMany(c => c.Keys).Distinct())
            .CountBy(ngram => ngram).ToDictionary();
        double Rarity(int ngram) => Math.Log(corpus.Count) - Math.Log(documents.GetValueOrDefault(ngram, 1));
        Weights Weigh(IReadOnlyList<T> text) => new(text.Count, index.Count(text, order), Rarity);

        return Texts.Scores([.. candidates.Zip(references, (text, own) =>
        {
            var candidate = Weigh(text);
            return 10 * own.Average(r =>
            {
                var reference = Weigh(r);
                return Enumerable.Range(0, order).Average(n => similarity(candidate, reference, n));
            });
        })]);
    }

    /// <summary>The weighted n-gram counts of a text, by order.</summary>
    private sealed class Weights(int length, Dictionary<int, int>[] counts, Func<int, double> rarity)
    {
        private readonly Dictionary<int, double>[] weights = [.. counts.Select(c => c.ToDictionary(n => n.Key, n => n.Value * rarity(n.Key)))];

        public int Length => length;

        /// <summary>The product over both norms.</summary>
        public double Dot(Weights other, int n, bool clip)
        {
            double norms = Norm(n) * other.Norm(n), sum = 0;
            if (norms == 0) return 0;
            foreach (var (ngram, weight) in weights[n])
                if (other.weights[n].TryGetValue(ngram, out double theirs)) sum += (clip ? Math.Min(weight, theirs) : weight) * theirs;
            return sum / norms;
        }

        private double Norm(int n) => Math.Sqrt(weights[n].Values.Sum(w => w * w));
    }
}
