using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>
/// Edits over reference length: the word, character or phoneme error rate, by what the tokens are. 0 where all is right;
/// above 1 where more is inserted than the reference holds.
/// </summary>
public static class ErrorRate
{
    private const int Columns = 4;

    /// <summary>The rate over all texts: summed edits over summed reference lengths.</summary>
    /// <param name="hypotheses">N token sequences.</param>
    /// <param name="references">One reference each, not all empty.</param>
    public static double Corpus<T>(IReadOnlyList<IReadOnlyList<T>> hypotheses, IReadOnlyList<IReadOnlyList<T>> references) where T : notnull
    {
        using var counts = Counts(hypotheses, references);
        return FromCounts(counts);
    }

    /// <summary>The rate of each text, float64 [N].</summary>
    /// <param name="hypotheses">N token sequences.</param>
    /// <param name="references">One reference each, none empty.</param>
    public static Tensor Each<T>(IReadOnlyList<IReadOnlyList<T>> hypotheses, IReadOnlyList<IReadOnlyList<T>> references) where T : notnull
    {
        Check(hypotheses, references);
        for (int i = 0; i < references.Count; i++)
            if (references[i].Count == 0) throw new ArgumentException($"reference {i} is empty: its rate divides by its length", nameof(references));
        return Texts.Scores([.. hypotheses.Zip(references, (h, r) => EditDistance.Between(h, r).Total / (double)r.Count)]);
    }

    /// <summary>
    /// Substitutions, deletions, insertions and reference length of each text, float64 [N, 4]. Any rows of it give the rate
    /// of those texts, so that a bootstrap may choose them.
    /// </summary>
    /// <param name="hypotheses">N token sequences.</param>
    /// <param name="references">One reference each.</param>
    public static Tensor Counts<T>(IReadOnlyList<IReadOnlyList<T>> hypotheses, IReadOnlyList<IReadOnlyList<T>> references) where T : notnull
    {
        Check(hypotheses, references);
        return Texts.Rows([.. hypotheses.Zip(references, (h, r) =>
        {
            var edits = EditDistance.Between(h, r);
            return new double[] { edits.Substitutions, edits.Deletions, edits.Insertions, r.Count };
        })]);
    }

    /// <summary>The rate of the texts whose counts are given.</summary>
    /// <param name="counts">Rows of <see cref="Counts"/>, [M, 4].</param>
    public static double FromCounts(Tensor counts)
    {
        double[] sum = Texts.Sum(counts, Columns);
        if (sum[3] == 0) throw new ArgumentException("all references are empty: the rate divides by their length", nameof(counts));
        return (sum[0] + sum[1] + sum[2]) / sum[3];
    }

    private static void Check<T>(IReadOnlyList<IReadOnlyList<T>> hypotheses, IReadOnlyList<IReadOnlyList<T>> references)
    {
        Texts.Check(hypotheses);
        Texts.Check(references);
        if (hypotheses.Count != references.Count)
            throw new ArgumentException($"{references.Count} references for {hypotheses.Count} hypotheses: each needs its own", nameof(references));
    }
}
