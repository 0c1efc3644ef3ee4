using static TorchSharp.torch;

namespace Langevin.Metrics.Text;

/// <summary>Parameters of METEOR; the defaults are NLTK's.</summary>
public sealed record MeteorOptions
{
    /// <summary>Weight α of recall in the harmonic mean P R / (α P + (1 − α) R), from 0 to 1.</summary>
    public double Alpha { get; init; } = 0.9;

    /// <summary>Exponent β of the penalty, above 0.</summary>
    public double Beta { get; init; } = 3;

    /// <summary>Largest penalty γ, from 0 to 1.</summary>
    public double Gamma { get; init; } = 0.5;

    /// <summary>Match by Porter's stems what has no equal word.</summary>
    public bool Stems { get; init; } = true;
}

/// <summary>
/// METEOR without synonyms (Banerjee and Lavie 2005, W05-0909; parameters of Lavie and Agarwal 2007, W07-0734): words of a
/// candidate and a reference are matched one to one, first equal words, then equal stems; with m matches in c runs that
/// are contiguous in both, the score is (1 − γ (c/m)^β) · P R / (α P + (1 − α) R). The best reference counts.
/// </summary>
/// <remarks>
/// There is no third stage: published METEOR also matches synonyms by WordNet and, in later versions, paraphrases, so its
/// figures are somewhat higher. Words are matched from the end of the candidate on, each to the last free equal one, as
/// NLTK does; this need not be the alignment with the fewest runs. Case is ignored. An identical text of m words scores
/// 1 − γ m^(−β), not 1. Stems are English.
/// </remarks>
public static class Meteor
{
    /// <summary>The score of each item, float64 [N], from 0 to 1; 0 without a match.</summary>
    /// <param name="candidates">N sequences of words.</param>
    /// <param name="references">The references of each, at least one, none empty.</param>
    /// <param name="options">Parameters.</param>
    public static Tensor Scores(
        IReadOnlyList<IReadOnlyList<string>> candidates, IReadOnlyList<IReadOnlyList<IReadOnlyList<string>>> references, MeteorOptions? options = null)
    {
        options ??= new();
        Check(options);
        Texts.Check(candidates, references);
        return Texts.Scores([.. candidates.Zip(references, (candidate, own) => own.Max(r => Score(candidate, r, options)))]);
    }

    private static double Score(IReadOnlyList<string> candidate, IReadOnlyList<string> reference, MeteorOptions options)
    {
        var (x, y) = (Lower(candidate), Lower(reference));
        var partner = new int[x.Length];
        var taken = new bool[y.Length];
        Array.Fill(partner, -1);
        Match(x, y, partner, taken);
        if (options.Stems) Match([.. x.Select(PorterStemmer.Stem)], [.. y.Select(PorterStemmer.Stem)], partner, taken);

        double matches = partner.Count(p => p >= 0);
        if (matches == 0) return 0;
        double precision = matches / x.Length, recall = matches / y.Length;
        double mean = precision * recall / (options.Alpha * precision + (1 - options.Alpha) * recall);
        return (1 - options.Gamma * Math.Pow(Runs(partner) / matches, options.Beta)) * mean;
    }

    /// <summary>Joins free equal words, from the ends on.</summary>
    private static void Match(string[] x, string[] y, int[] partner, bool[] taken)
    {
        for (int i = x.Length - 1; i >= 0; i--)
            for (int j = y.Length - 1; j >= 0 && partner[i] < 0; j--)
                if (!taken[j] && x[i] == y[j]) (partner[i], taken[j]) = (j, true);
    }

    private static int Runs(int[] partner)
    {
        int runs = 0;
        for (int i = 0; i < partner.Length; i++)
            if (partner[i] >= 0 && (i == 0 || partner[i - 1] < 0 || partner[i] != partner[i - 1] + 1)) runs++;
        return runs;
    }

#pragma warning disable CA1308 // stems are defined on lower case
    private static string[] Lower(IReadOnlyList<string> words) => [.. words.Select(w => w.ToLowerInvariant())];
#pragma warning restore CA1308

    private static void Check(MeteorOptions options)
    {
        if (!(options.Alpha is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Alpha, "α must be from 0 to 1");
        if (!(options.Beta > 0)) throw new ArgumentOutOfRangeException(nameof(options), options.Beta, "β must be above 0");
        if (!(options.Gamma is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Gamma, "γ must be from 0 to 1");
    }
}
