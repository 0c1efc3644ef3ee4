using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Langevin.Metrics;
using Langevin.Metrics.Text;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>
/// Reference values named NLTK are NLTK 3.8's (Debian 12): corpus_bleu and sentence_bleu, and meteor_score with a WordNet
/// that knows no word and PorterStemmer(MARTIN_EXTENSIONS). CIDEr's are of a NumPy program written from the paper.
/// </summary>
public sealed class TextMetricTests : IDisposable
{
    private const double Digits = 1e-12;

    private static readonly TextCorpus Corpus = new(40, seed: 7);

    // The example of Papineni et al. 2002, as NLTK's documentation tokenises it.
    private static readonly string[][] Military =
    [
        Cut("It is a guide to action which ensures that the military always obeys the commands of the party"),
        Cut("It is to insure the troops forever hearing the activity guidebook that party direct"),
    ];

    private static readonly string[][] MilitaryReferences =
    [
        Cut("It is a guide to action that ensures that the military will forever heed Party commands"),
        Cut("It is the guiding principle which guarantees the military forces always being under the command of the Party"),
        Cut("It is the practical guide for the army always to heed the directions of the party"),
    ];

    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static string[] Cut(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static double Mean(Tensor x) => x.mean().item<double>();

    [Fact]
    public void Corpus_is_the_one_the_references_were_made_from()
    {
        Assert.Equal("running of cat national the of", string.Join(' ', Corpus.Candidates[0]));
        Assert.Equal(391, Corpus.Candidates.Sum(c => c.Length));
        Assert.Equal(760, Corpus.References.Sum(r => r.Sum(t => t.Length)));
    }

    [Theory]
    [InlineData(1, 0.7858026176139319, 0.7464531971046515, 0.7464531971046515)]
    [InlineData(2, 0.5750645869772584, 0.5392787517698354, 0.5392787517698354)]
    [InlineData(3, 0.43572438110229517, 0.3602876937640885, 0.39125257299430255)]
    [InlineData(4, 0.33114292456013433, 0.20693206782127582, 0.28216383613918755)]
    public void Bleu_of_a_corpus_is_that_of_NLTK(int order, double corpus, double sentences, double smoothed)
    {
        Assert.Equal(corpus, Bleu.Corpus(Corpus.Candidates, Corpus.References, order), Digits);
        Assert.Equal(sentences, Mean(Bleu.Sentences(Corpus.Candidates, Corpus.References, order)), Digits);
        Assert.Equal(smoothed, Mean(Bleu.Sentences(Corpus.Candidates, Corpus.References, order, BleuSmoothing.AddEpsilon)), Digits);
        Assert.Equal(corpus, Bleu.FromCounts(Bleu.Counts(Corpus.Candidates, Corpus.References), order), Digits);
    }

    [Theory]
    [InlineData(1, 0.9444444444444444, 0.4953587998572467, 0.733916455323028)]
    [InlineData(2, 0.7453559924999299, 0.18174699151949172, 0.5027908033031354)]
    [InlineData(3, 0.6240726989348756, 0.06202551546012665, 0.390112995681918)]
    [InlineData(4, 0.5045666840058485, 0.03703131191121491, 0.3043537261305561)]
    public void Bleu_of_the_paper_s_example_is_that_of_NLTK(int order, double first, double second, double both)
    {
        string[][][] references = [MilitaryReferences, MilitaryReferences];
        var scores = Bleu.Sentences(Military, references, order, BleuSmoothing.AddEpsilon);
        Assert.Equal(first, scores[0].item<double>(), Digits);
        Assert.Equal(second, scores[1].item<double>(), Digits);
        Assert.Equal(both, Bleu.Corpus(Military, references, order), Digits);
    }

    [Fact]
    public void Bleu_clips_counts_and_punishes_shortness_only()
    {
        // Papineni et al.: "the" seven times matches twice; the first reference is the closest.
        string[][][] references = [[Cut("the cat is on the mat"), Cut("there is a cat on the mat")]];
        Assert.Equal(2.0 / 7, Bleu.Corpus([Cut("the the the the the the the")], references, 1), Digits);
        // Lengths 12 against 28: exp(1 − 28/12). 8 and 11 against 7: exp(1 − 8/7). 11 and 13 against 12: none.
        string[] A(int n) => [.. Enumerable.Repeat("a", n)];
        Assert.Equal(Math.Exp(1 - 28.0 / 12), Bleu.Corpus([A(12)], [[A(28), A(28)]]), Digits);
        Assert.Equal(Math.Exp(1 - 8.0 / 7), Bleu.Corpus([A(7)], [[A(11), A(8)]]), Digits);
        Assert.Equal(1, Bleu.Corpus([A(12)], [[A(13), A(11)]]), Digits);
        // A sentence of two words has no 4-grams: it adds none to the corpus, and scores 0 by itself.
        Assert.Equal(1, Bleu.Corpus([A(5), A(2)], [[A(5)], [A(2)]]), Digits);
        Assert.Equal([1.0, 0], Bleu.Sentences([A(5), A(2)], [[A(5)], [A(2)]]).data<double>().ToArray());
        // Nothing in common is 0, smoothed or not, and so is an empty candidate.
        Assert.Equal([0.0, 0], Bleu.Sentences([["b"], []], [[A(3)], [A(3)]], 1, BleuSmoothing.AddEpsilon).data<double>().ToArray());
    }

    [Fact]
    public void Bleu_has_an_interval_over_sentences()
    {
        var counts = Bleu.Counts(Corpus.Candidates, Corpus.References);
        var interval = Bootstrap.Interval(counts.size(0), i => Bleu.FromCounts(counts[i]));
        double score = Bleu.FromCounts(counts);
        Assert.True(interval.Contains(score));
        Assert.InRange(interval.High - interval.Low, 0.05, 0.4);
        // Items given twice change nothing, items left out do.
        Assert.Equal(score, Bleu.FromCounts(cat([counts, counts])), Digits);
        Assert.Equal(Bleu.Corpus(Corpus.Candidates[..9], Corpus.References[..9]), Bleu.FromCounts(counts.narrow(0, 0, 9)), Digits);
    }

    [Fact]
    public void Meteor_is_that_of_NLTK_without_synonyms()
    {
        var scores = Meteor.Scores(Corpus.Candidates, Corpus.References);
        Assert.Equal(0.6278486003987398, Mean(scores), Digits);
        double[] expected = [0.5434782608695652, 0.9993141289438586, 0.5215419501133786, 0.3627873563218391, 0.43069584736251404];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], scores[i].item<double>(), Digits);
        Assert.Equal(0.6231894016294584, Mean(Meteor.Scores(Corpus.Candidates, Corpus.References, new() { Stems = false })), Digits);
        Assert.Equal(0.6336635277839762, Mean(Meteor.Scores(Corpus.Candidates, Corpus.References, new() { Alpha = 0.7, Beta = 1.5, Gamma = 0.3 })), Digits);

        var military = Meteor.Scores(Military, [MilitaryReferences, MilitaryReferences]);
        Assert.Equal(0.6944444444444445, military[0].item<double>(), Digits);
        Assert.Equal(0.3035391371738569, military[1].item<double>(), Digits);
    }

    [Fact]
    public void Meteor_of_a_text_with_itself_is_one_run()
    {
        string[] text = Cut("a b c d e f");
        Assert.Equal(1 - 0.5 / 216, Meteor.Scores([text], [[text]])[0].item<double>(), Digits);
        // Backwards: six matches, six runs, half of it is left.
        Assert.Equal(0.5, Meteor.Scores([[.. text.Reverse()]], [[text]])[0].item<double>(), Digits);
        Assert.Equal(0, Meteor.Scores([Cut("x y")], [[text]])[0].item<double>());
        Assert.Equal(1 - 0.5 / 8, Meteor.Scores([Cut("Cats RUN")], [[Cut("cat runs")]])[0].item<double>(), Digits);
    }

    [Fact]
    public void Stems_are_Porter_s()
    {
        // The paper's own examples step by step, and words at the edges of its rules; stems by NLTK.
        string[] words = Cut("""
            caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing fizzed failing filing happy sky
            relational conditional rational valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization predication operator feudalism
            decisiveness hopefulness callousness formaliti sensitiviti sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance
            inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption homologou communism activate angulariti homologous
            effective bowdlerize probate rate cease controll roll by as sses ing ed ion apology archaeology geology enjoy enjoyment dying skies generalizations oscillators
            yyyed toy syzygy eed freed
            """.Replace('\n', ' '));
        string[] stems = Cut("""
            caress poni ti caress cat feed agre plaster bled motor sing conflat troubl size hop tan fall hiss fizz fail file happi sky
            relat condit ration valenc hesit digit conform radic differ vile analog vietnam predic oper feudal
            decis hope callous formal sensit sensibl triplic form formal electr electr hope good reviv allow
            infer airlin gyroscop adjust defens irrit replac adjust depend adopt homolog commun activ angular homolog
            effect bowdler probat rate ceas control roll by as ss ing ed ion apolog archaeolog geologi enjoi enjoy dy ski gener oscil
            yy toi syzygi eed freed
            """.Replace('\n', ' '));
        Assert.Equal(stems, words.Select(PorterStemmer.Stem));
        string tooLong = new('y', 100_000);
        Assert.Equal(tooLong, PorterStemmer.Stem(tooLong));
    }

    [Fact]
    public void Stems_of_Shakespeare_s_words_are_Porter_s()
    {
        // 11,455 words; the hash is of NLTK's stems, one a line.
        string text = File.ReadAllText(Shared.Data("text/tinyshakespeare.txt")).ToLowerInvariant();
        string[] words = [.. Regex.Matches(text, "[a-z]+").Select(m => m.Value).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(11_455, words.Length);
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', words.Select(PorterStemmer.Stem)))));
        Assert.Equal("6d9b241734fb68abeadf929eb099731d130e26e91187079a2e805cecbc097483", hash);
    }

    [Fact]
    public void Cider_is_that_of_another_program()
    {
        var plain = Cider.Plain(Corpus.Candidates, Corpus.References);
        Assert.Equal(2.854287337285851, Mean(plain), 1e-11);
        double[] first = [1.2229452731534942, 10, 2.766509117042305, 1.6978565957052476];
        for (int i = 0; i < first.Length; i++) Assert.Equal(first[i], plain[i].item<double>(), 1e-11);
        var clipped = Cider.D(Corpus.Candidates, Corpus.References);
        Assert.Equal(2.6656697563628238, Mean(clipped), 1e-11);
        double[] firstClipped = [1.2021698185489689, 10, 2.7283509797640493, 1.4983531867427067];
        for (int i = 0; i < firstClipped.Length; i++) Assert.Equal(firstClipped[i], clipped[i].item<double>(), 1e-11);
        Assert.Equal(2.3787693129109355, Mean(Cider.D(Corpus.Candidates[20..], Corpus.References[20..], Corpus.References[..20])), 1e-11);
    }

    [Fact]
    public void Cider_by_hand()
    {
        // Two items; "a" is in both and weighs nothing, the rest ln 2 each.
        string[][][] references = [[Cut("a b")], [Cut("a c")]];
        double Score(string candidate, bool d) => (d ? Cider.D([Cut(candidate), []], references, order: 1) : Cider.Plain([Cut(candidate), []], references, order: 1))[0].item<double>();
        Assert.Equal(10, Score("a b", false), Digits);
        Assert.Equal(10, Score("b b", false), Digits);
        Assert.Equal(10 / Math.Sqrt(2), Score("b c", false), Digits);
        Assert.Equal(0, Score("a a", false), Digits);
        // Clipped: "b b" has twice the norm and no more in common; one word fewer costs exp(−1/72).
        Assert.Equal(5, Score("b b", true), Digits);
        Assert.Equal(10 * Math.Exp(-1.0 / 72), Score("b", true), Digits);
    }

    [Fact]
    public void Distinct_share_of_ngrams()
    {
        Assert.Equal(0.056265984654731455, DistinctNgrams.Corpus(Corpus.Candidates, 1), Digits);
        Assert.Equal(0.7492877492877493, DistinctNgrams.Corpus(Corpus.Candidates, 2), Digits);
        Assert.Equal(0.7927058358308358, Mean(DistinctNgrams.Each(Corpus.Candidates, 1)), Digits);
        int[][] texts = [[1, 1, 1, 1], [1, 2, 3], [5]];
        Assert.Equal([1.0 / 3, 1, 0], DistinctNgrams.Each(texts, 2).data<double>().ToArray());
        Assert.Equal(3.0 / 5, DistinctNgrams.Corpus(texts, 2), Digits);
    }

    [Fact]
    public void Edits_by_hand()
    {
        static EditCounts Of(string hypothesis, string reference) => EditDistance.Between(hypothesis.ToCharArray(), reference.ToCharArray());
        Assert.Equal(new EditCounts(2, 0, 1), Of("sitting", "kitten"));
        Assert.Equal(new EditCounts(2, 1, 0), Of("kitten", "sitting"));
        Assert.Equal(new EditCounts(0, 0, 3), Of("abc", ""));
        Assert.Equal(new EditCounts(0, 3, 0), Of("", "abc"));
        Assert.Equal(new EditCounts(1, 0, 0), Of("axc", "abc"));
        Assert.Equal(5, Of("execution", "intention").Total);
        Assert.Equal(3, Of("sunday", "saturday").Total);
    }

    [Fact]
    public void Edit_distance_is_a_metric()
    {
        var word = Gen.Char["abc"].Array[0, 9];
        Gen.Select(word, word, word).Sample((x, y, z) =>
        {
            var (xy, yx) = (EditDistance.Between(x, y), EditDistance.Between(y, x));
            Assert.Equal(new EditCounts(xy.Substitutions, xy.Insertions, xy.Deletions), yx);
            Assert.Equal(x.AsSpan().SequenceEqual(y), xy.Total == 0);
            Assert.Equal(x.Length, y.Length - xy.Deletions + xy.Insertions);
            Assert.True(xy.Deletions >= 0 && xy.Insertions >= 0);
            Assert.True(EditDistance.Between(x, z).Total <= xy.Total + EditDistance.Between(y, z).Total);
            Assert.Equal(Slow(x, y), xy.Total);
        }, iter: 2000, seed: "0N0XIzNsQ0O2");
    }

    /// <summary>The recursion that defines the distance, every cell kept.</summary>
    private static int Slow(char[] x, char[] y)
    {
        var d = new int[x.Length + 1, y.Length + 1];
        for (int i = 0; i <= x.Length; i++)
            for (int j = 0; j <= y.Length; j++)
                d[i, j] = i == 0 ? j : j == 0 ? i
                    : Math.Min(d[i - 1, j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1), Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
        return d[x.Length, y.Length];
    }

    [Fact]
    public void Error_rate_is_edits_over_reference_length()
    {
        string[] said = ["the cat sat on mat", "hello"], meant = ["the cat sat on the mat", "hello there world"];
        var (hypotheses, references) = (Tokenizers.Words.TokenizeAll(said), Tokenizers.Words.TokenizeAll(meant));
        Assert.Equal(3.0 / 9, ErrorRate.Corpus(hypotheses, references), Digits);
        Assert.Equal([1.0 / 6, 2.0 / 3], ErrorRate.Each(hypotheses, references).data<double>().ToArray());
        Assert.Equal([0, 1, 0, 6, 0, 2, 0, 3], ErrorRate.Counts(hypotheses, references).data<double>().ToArray());
        Assert.Equal(0, ErrorRate.Corpus(references, references));
        Assert.Equal(2, ErrorRate.Corpus([["a", "b", "c"]], [["c"]]), Digits);
        // Characters: "the " is missing from the first.
        Assert.Equal(4.0 / 22, ErrorRate.Corpus(Tokenizers.Characters.TokenizeAll(said[..1]), Tokenizers.Characters.TokenizeAll(meant[..1])), Digits);
        // Phonemes of "speech" against "peach".
        Assert.Equal(1.0 / 4, ErrorRate.Corpus(Tokenizers.WhiteSpace.TokenizeAll(["P IY CH"]), Tokenizers.WhiteSpace.TokenizeAll(["S P IY CH"])), Digits);
        var counts = ErrorRate.Counts(hypotheses, references);
        Assert.Equal(2.0 / 3, ErrorRate.FromCounts(counts[tensor(new[] { 1L, 1L })]), Digits);
    }

    [Fact]
    public void Tokens_of_the_default_tokenizers()
    {
        Assert.Equal(["don't", "panic", ",", "it", "’", "s", "42", "!"], Tokenizers.Words.Tokenize("Don't  PANIC, it ’s 42!"));
        Assert.Equal(["Don't", "panic", "it", "s"], new WordTokenizer { LowerCase = false, Punctuation = false }.Tokenize("Don't panic, it: s!"));
        Assert.Equal(["naïve", "😀", "über"], Tokenizers.Words.Tokenize("Naïve 😀 Über"));
        Assert.Equal(["AH0", "B"], Tokenizers.WhiteSpace.Tokenize(" AH0\tB\n"));
        Assert.Equal(["e\u0301", " ", "👩‍👩‍👧"], Tokenizers.Characters.Tokenize("e\u0301 👩‍👩‍👧"));
        Assert.All(new[] { Tokenizers.Words, Tokenizers.WhiteSpace, Tokenizers.Characters }, t => Assert.Empty(t.Tokenize("")));
        var sets = Tokenizers.Words.TokenizeAll(new[] { new[] { "a b", "c" }, ["d"] });
        Assert.Equal("a b|c|d", string.Join('|', sets.SelectMany(s => s).Select(t => string.Join(' ', t))));
    }

    [Fact]
    public void Tokens_may_be_of_any_kind()
    {
        int[][] candidates = [.. Corpus.Candidates.Select(Ids)];
        int[][][] references = [.. Corpus.References.Select(r => r.Select(Ids).ToArray())];
        Assert.Equal(Bleu.Corpus(Corpus.Candidates, Corpus.References), Bleu.Corpus(candidates, references));
        Assert.Equal(Mean(Cider.D(Corpus.Candidates, Corpus.References)), Mean(Cider.D(candidates, references)), Digits);
        static int[] Ids(string[] text) => [.. text.Select(w => w.Sum(c => c * c))];
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        string[][] one = [["a"]];
        string[][][] own = [[["a"]]];
        void Refused(Action action, string part) => Assert.Contains(part, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
        Refused(() => Bleu.Corpus(one, [[["a"]], [["b"]]]), "2 sets of references for 1 candidates");
        Refused(() => Bleu.Corpus(one, [[]]), "item 0 has no reference");
        Refused(() => Bleu.Corpus(one, [[[]]]), "item 0 has no reference, or an empty one");
        Refused(() => Bleu.Corpus(Array.Empty<string[]>(), []), "no text was given");
        Refused(() => Bleu.Corpus([null!], own), "text 0 is null");
        Refused(() => Bleu.Corpus(one, own, order: 0), "order");
        Refused(() => Bleu.Corpus(one, own, epsilon: 0), "between 0 and 1");
        Refused(() => Bleu.FromCounts(zeros(3, 4), order: 2), "expected counts");
        Refused(() => Cider.D(one, own), "at least 2 items");
        Refused(() => Cider.D(one, own, own, sigma: 0), "sigma");
        Refused(() => Meteor.Scores(one, own, new() { Alpha = 2 }), "α must be");
        Refused(() => DistinctNgrams.Corpus(one, 2), "no text has 2 tokens");
        Refused(() => ErrorRate.Each<string>(one, [[]]), "reference 0 is empty");
        Refused(() => ErrorRate.Corpus<string>(one, [[]]), "all references are empty");
        Refused(() => ErrorRate.Corpus(one, [["a"], ["b"]]), "2 references for 1 hypotheses");
        Refused(() => ErrorRate.FromCounts(zeros(2, 3)), "expected counts [N, 4]");
    }

    [Fact]
    public void Leave_no_tensors() => Leak.None(() =>
    {
        using var a = Bleu.Sentences(Corpus.Candidates, Corpus.References);
        using var b = Bleu.Counts(Corpus.Candidates, Corpus.References);
        Bleu.FromCounts(b);
        using var c = Meteor.Scores(Corpus.Candidates, Corpus.References);
        using var d = Cider.D(Corpus.Candidates, Corpus.References);
        using var e = DistinctNgrams.Each(Corpus.Candidates, 2);
        using var f = ErrorRate.Each(Corpus.Candidates, Corpus.Candidates);
        ErrorRate.Corpus(Corpus.Candidates, Corpus.Candidates);
        var model = NgramModel.Fit(Corpus.Candidates);
        model.Perplexity(Corpus.Candidates);
        using var g = model.PerplexityOfEach(Corpus.Candidates);
    });
}
