using System.Text.RegularExpressions;
using Langevin.Metrics;
using Langevin.Metrics.Text;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>
/// References by nltk.lm 3.8 (Debian 12): InterpolatedLanguageModel over KneserNey (discount 0.75) and WittenBell, whose
/// unigram_score was made to interpolate with 1/V; n-grams that end in the start symbol left out, one end symbol.
/// </summary>
public sealed class NgramModelTests : IDisposable
{
    private static readonly TextCorpus Corpus = new(40, seed: 7);
    private static readonly string[][] Training = [.. Corpus.References.Take(25).SelectMany(r => r)];
    private static readonly string[][] Test = [.. Corpus.Candidates.Skip(25), ["unseen", "cat", "sat"], ["the", "zebra"]];

    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(1, NgramSmoothing.KneserNey, 23.920022294922486, 21.049149244418246)]
    [InlineData(1, NgramSmoothing.WittenBell, 23.78381142570436, 21.108201998547255)]
    [InlineData(2, NgramSmoothing.KneserNey, 29.141634164709128, 22.501067566722963)]
    [InlineData(2, NgramSmoothing.WittenBell, 28.80395557808717, 21.7953705842558)]
    [InlineData(3, NgramSmoothing.KneserNey, 32.7058779373635, 28.033476153380192)]
    [InlineData(3, NgramSmoothing.WittenBell, 41.34233131922518, 34.72357720963521)]
    [InlineData(4, NgramSmoothing.KneserNey, 33.26195195749731, 28.01878397006696)]
    [InlineData(4, NgramSmoothing.WittenBell, 44.839625951823095, 36.70298091468417)]
    public void Perplexity_is_that_of_NLTK(int order, NgramSmoothing smoothing, double all, double first)
    {
        var model = NgramModel.Fit(Training, new() { Order = order, Smoothing = smoothing });
        Assert.Equal(24, model.VocabularySize);
        Assert.Equal(all, model.Perplexity(Test), 1e-9);
        Assert.Equal(first, model.PerplexityOfEach(Test)[0].item<double>(), 1e-9);
    }

    [Theory]
    [InlineData(NgramSmoothing.KneserNey)]
    [InlineData(NgramSmoothing.WittenBell)]
    public void Probabilities_sum_to_one_after_any_beginning(NgramSmoothing smoothing)
    {
        for (int order = 1; order <= 4; order++)
        {
            var model = NgramModel.Fit(Training, new() { Order = order, Smoothing = smoothing, MinimumCount = 2 });
            foreach (string[] beginning in (string[][])[[], ["the"], ["cat", "sat", "on"], ["never", "seen"], .. Test])
            {
                var (known, unknown, end) = model.Next(beginning);
                Assert.Equal(1, known.Values.Sum() + unknown + end, 1e-12);
                Assert.True(unknown > 0 && end > 0 && known.Values.Min() > 0);
            }
        }
    }

    [Fact]
    public void Kneser_Ney_by_hand()
    {
        // "a b", "a b": bigrams <s>a, ab, b</s>, each twice, each with one kind of predecessor. d = ½, V = 4 (a, b, unknown, end).
        // Continuation counts are 1, 1, 1: P(b) = (1 − ½)/3 + ½ · 3/3 · ¼ = 7/24; P(b | a) = (2 − ½)/2 + ½ · 1/2 · 7/24.
        var model = NgramModel.Fit(new string[][] { ["a", "b"], ["a", "b"] }, new() { Order = 2, Discount = 0.5 });
        Assert.Equal(0.75 + 7.0 / 96, model.Next(["a"]).Known["b"], 1e-12);
        // An unseen context leaves the unigrams.
        Assert.Equal(7.0 / 24, model.Next(["c"]).Known["b"], 1e-12);
        Assert.Equal(0.125, model.Next(["c"]).Unknown, 1e-12);
        // All three bigrams of "a b" have the probability 79/96.
        Assert.Equal(3 * Math.Log(79.0 / 96), model.LogProbability(["a", "b"]), 1e-12);
    }

    [Theory]
    [InlineData(1, 318.02356203449386, 319.2793433563039)]
    [InlineData(2, 175.89739992250728, 188.86749265123976)]
    [InlineData(3, 178.11457036116158, 215.29632108513204)]
    public void Perplexity_of_held_out_Shakespeare_is_that_of_another_program(int order, double kneserNey, double wittenBell)
    {
        // By a Python program written from the formulas, with n-gram tables instead of a tree of contexts: 29,499 lines
        // against the last tenth, words of letters that occur twice.
        string[][] lines = [.. File.ReadAllLines(Shared.Data("text/tinyshakespeare.txt"))
            .Select(l => Regex.Matches(l.ToLowerInvariant(), "[a-z]+").Select(m => m.Value).ToArray()).Where(l => l.Length > 0)];
        int cut = lines.Length * 9 / 10;
        double Perplexity(NgramSmoothing smoothing)
        {
            var model = NgramModel.Fit(lines[..cut], new() { Order = order, Smoothing = smoothing, MinimumCount = 2 });
            Assert.Equal(6129, model.VocabularySize);
            return model.Perplexity(lines[cut..]);
        }
        Assert.Equal(kneserNey, Perplexity(NgramSmoothing.KneserNey), 1e-7);
        Assert.Equal(wittenBell, Perplexity(NgramSmoothing.WittenBell), 1e-7);
    }

    [Fact]
    public void Perplexity_is_the_number_of_choices()
    {
        // Every sequence of three letters of four once, so nothing can be learned but the end: 4 choices for each letter.
        string[] letters = ["a", "b", "c", "d"];
        var texts = (from x in letters from y in letters from z in letters from n in Enumerable.Range(0, 200) select new[] { x, y, z }).ToArray();
        var model = NgramModel.Fit(texts, new() { Order = 4, Smoothing = NgramSmoothing.WittenBell });
        // The last of four predictions, the end, is nearly certain. Witten-Bell keeps 4/(N + 4) for the unseen.
        Assert.Equal(Math.Pow(4, 0.75), model.Perplexity(texts), 0.05);
        Assert.True(model.Perplexity([["a", "a", "a", "a"]]) > model.Perplexity([["a", "a", "a"]]));
    }

    [Fact]
    public void Real_text_is_less_surprising_in_order_and_an_interval_holds_the_figure()
    {
        var shuffled = Training.Select((t, i) => t.OrderBy(w => (w.Length * 31 + i * 17 + w[0] * 7) % 13).ToArray()).ToArray();
        var model = NgramModel.Fit(Training);
        Assert.True(model.Perplexity(Training) < model.Perplexity(shuffled));
        var counts = model.Counts(Test);
        Assert.True(Bootstrap.Interval(counts.size(0), i => NgramModel.PerplexityFromCounts(counts[i])).Contains(model.Perplexity(Test)));
        Assert.Equal(Test.Sum(t => t.Length + 1), counts.select(1, 1).sum().item<double>());
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NgramModel.Fit(Training, new() { Order = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => NgramModel.Fit(Training, new() { Discount = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => NgramModel.Fit(Training, new() { MinimumCount = 0 }));
        Assert.Contains("all texts are empty", Assert.Throws<ArgumentException>(() => NgramModel.Fit<string>([[], []])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => NgramModel.Fit(Training).Perplexity([]));
    }
}
