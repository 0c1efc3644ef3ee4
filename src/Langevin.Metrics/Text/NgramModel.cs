using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>How an n-gram model gives probability to what it has not seen. Both interpolate with the next shorter context, and single tokens with 1/V.</summary>
public enum NgramSmoothing
{
    /// <summary>
    /// Kneser and Ney 1995, interpolated: every count loses the discount; below the longest context, counts are the numbers
    /// of different tokens seen before the n-gram.
    /// </summary>
    KneserNey,

    /// <summary>Witten and Bell 1991: what is unseen weighs as much as there are different tokens after the context.</summary>
    WittenBell,
}

/// <summary>How to make an n-gram model.</summary>
public sealed record NgramOptions
{
    /// <summary>Tokens of an n-gram, context included; at least 1.</summary>
    public int Order { get; init; } = 3;

    /// <summary>The smoothing.</summary>
    public NgramSmoothing Smoothing { get; init; } = NgramSmoothing.KneserNey;

    /// <summary>What Kneser-Ney takes from every count, between 0 and 1.</summary>
    public double Discount { get; init; } = 0.75;

    /// <summary>Tokens that occur less often in the training texts are treated as unknown; at least 1.</summary>
    public int MinimumCount { get; init; } = 1;
}

/// <summary>
/// Makes n-gram language models (Chen and Goodman 1999, Computer Speech and Language 13): the perplexity of generated
/// texts under a model of real ones says how usual they are, that of real ones under a model of generated ones how much of
/// the real is covered.
/// </summary>
/// <remarks>
/// The end of a text is predicted like a token; unknown tokens are one token of the vocabulary. Perplexities of different
/// vocabularies or tokenizers do not compare.
/// </remarks>
public static class NgramModel
{
    /// <summary>Fits a model.</summary>
    /// <param name="texts">Token sequences, at least one token in all.</param>
    /// <param name="options">Order and smoothing; a Kneser-Ney trigram model when null.</param>
    public static NgramModel<T> Fit<T>(IReadOnlyList<IReadOnlyList<T>> texts, NgramOptions? options = null) where T : notnull
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Order, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinimumCount, 1);
        if (!(options.Discount is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Discount, "the discount must be between 0 and 1, e.g. 0.75");
        if (!Enum.IsDefined(options.Smoothing)) throw new ArgumentOutOfRangeException(nameof(options), options.Smoothing, "unknown smoothing");
        Texts.Check(texts);
        if (texts.All(t => t.Count == 0)) throw new ArgumentException("all texts are empty: there is nothing to learn from", nameof(texts));
        return new(texts, options);
    }

    /// <summary>exp of minus the mean log-probability of a token.</summary>
    /// <param name="counts">Rows of <see cref="NgramModel{T}.Counts"/>, [M, 2].</param>
    public static double PerplexityFromCounts(Tensor counts)
    {
        double[] sum = Texts.Sum(counts, 2);
        return Math.Exp(-sum[0] / sum[1]);
    }
}

/// <summary>An n-gram language model with its counts; made by <see cref="NgramModel.Fit"/>.</summary>
public sealed class NgramModel<T> where T : notnull
{
    private const int Start = 0, End = 1, Unknown = 2;

    private readonly NgramOptions options;
    private readonly Dictionary<T, int> ids = [];
    private readonly Context root = new();

    internal NgramModel(IReadOnlyList<IReadOnlyList<T>> texts, NgramOptions options)
    {
        this.options = options;
        foreach (var (token, count) in texts.SelectMany(t => t).CountBy(t => t))
            if (count >= options.MinimumCount) ids[token] = Unknown + 1 + ids.Count;
        var path = new Context[options.Order];
        foreach (var text in texts)
        {
            int[] padded = Padded(text);
            for (int at = options.Order - 1; at < padded.Length; at++) Count(padded, at, path);
        }
    }

    /// <summary>Tokens that can be predicted: the known ones, the unknown one and the end.</summary>
    public int VocabularySize => ids.Count + 2;

    /// <summary>Natural logarithm of a text's probability, its end included.</summary>
    public double LogProbability(IReadOnlyList<T> text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] padded = Padded(text);
        double sum = 0;
        for (int at = options.Order - 1; at < padded.Length; at++) sum += Math.Log(Probability(padded, at, padded[at]));
        return sum;
    }

    /// <summary>
    /// Log-probability (natural) and number of predicted tokens (its own and the end) of each text, float64 [N, 2]. Any rows
    /// of it give the perplexity of those texts, so that a bootstrap may choose them.
    /// </summary>
    public Tensor Counts(IReadOnlyList<IReadOnlyList<T>> texts)
    {
        Texts.Check(texts);
        return Texts.Rows([.. texts.Select(t => new[] { LogProbability(t), t.Count + 1 })]);
    }

    /// <summary>Perplexity of all texts together, at least 1: the number of equally likely tokens that would be as hard to predict.</summary>
    public double Perplexity(IReadOnlyList<IReadOnlyList<T>> texts)
    {
        using var counts = Counts(texts);
        return NgramModel.PerplexityFromCounts(counts);
    }

    /// <summary>Perplexity of each text, float64 [N].</summary>
    public Tensor PerplexityOfEach(IReadOnlyList<IReadOnlyList<T>> texts)
    {
        Texts.Check(texts);
        return Texts.Scores([.. texts.Select(t => Math.Exp(-LogProbability(t) / (t.Count + 1)))]);
    }

    /// <summary>The distribution of the token after a beginning of a text: of the known tokens, of the unknown one and of the end.</summary>
    internal (Dictionary<T, double> Known, double Unknown, double End) Next(IReadOnlyList<T> beginning)
    {
        int[] padded = Padded(beginning);
        double Of(int id) => Probability(padded, padded.Length - 1, id);
        return (ids.ToDictionary(i => i.Key, i => Of(i.Value)), Of(Unknown), Of(End));
    }

    private int[] Padded(IReadOnlyList<T> text) =>
        [.. Enumerable.Repeat(Start, options.Order - 1), .. text.Select(t => ids.GetValueOrDefault(t, Unknown)), End];

    /// <summary>Counts the token at a place after each of its contexts, the longest first.</summary>
    private void Count(int[] padded, int at, Context[] path)
    {
        path[0] = root;
        for (int length = 1; length < path.Length; length++) path[length] = path[length - 1].Longer(padded[at - length]);
        for (int length = path.Length - 1; length >= 0; length--)
        {
            bool first = path[length].Add(padded[at]);
            // Kneser and Ney: a shorter context counts different tokens before it, so only an n-gram's first occurrence.
            if (!first && options.Smoothing == NgramSmoothing.KneserNey) break;
        }
    }

    private double Probability(int[] padded, int at, int token)
    {
        double probability = 1.0 / VocabularySize;
        var context = root;
        for (int length = 0; context is not null; length++)
        {
            double count = context.Next.GetValueOrDefault(token), kinds = context.Next.Count;
            probability = options.Smoothing == NgramSmoothing.KneserNey
                ? (Math.Max(0, count - options.Discount) + options.Discount * kinds * probability) / context.Total
                : (count + kinds * probability) / (context.Total + kinds);
            if (length == options.Order - 1) break;
            context = context.Before?.GetValueOrDefault(padded[at - length - 1]);
        }
        return probability;
    }

    /// <summary>What followed some tokens, and the contexts that reach one token further back.</summary>
    private sealed class Context
    {
        public Dictionary<int, int> Next { get; } = [];

        public Dictionary<int, Context>? Before { get; private set; }

        public long Total { get; private set; }

        public Context Longer(int token)
        {
            Before ??= [];
            if (!Before.TryGetValue(token, out var longer)) Before[token] = longer = new();
            return longer;
        }

        /// <summary>Counts a token; whether it is the first time.</summary>
        public bool Add(int token)
        {
            int count = Next.GetValueOrDefault(token);
            Next[token] = count + 1;
            Total++;
            return count == 0;
        }
    }
}
