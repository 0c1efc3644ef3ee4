using Langevin.Data.Procedural;
using static TorchSharp.torch;

namespace Langevin.Tests.Data;

public sealed class CorpusTests
{
    [Fact]
    public void Sentences_are_of_known_words_and_agree()
    {
        string[] nouns = ["dog", "cat", "bird", "horse", "child", "farmer", "sailor", "teacher", "king", "robot"];
        for (int i = 0; i < 500; i++)
        {
            string[] words = Corpus.Sentence(1, i).Split(' ');
            Assert.All(words, w => Assert.Contains(w, Corpus.Words));
            // The subject's number decides the form of the word after it, but for a relative clause's "who".
            int subject = Array.FindIndex(words, w => nouns.Contains(w) || nouns.Contains(w.TrimEnd('s')) || w == "children");
            string verb = words[subject + 1] == "who" ? words[subject + 2] : words[subject + 1];
            Assert.Equal(nouns.Contains(words[subject]), verb.EndsWith('s'));
        }
    }

    [Fact]
    public void A_text_is_the_same_however_much_of_it_is_asked_for()
    {
        Assert.Equal(Corpus.Text(500, seed: 3)[..200], Corpus.Text(200, seed: 3));
        Assert.NotEqual(Corpus.Text(200, seed: 3), Corpus.Text(200, seed: 4));
    }

    [Fact]
    public void Tokens_are_read_back()
    {
        using var scope = NewDisposeScope();
        string text = Corpus.Text(100);
        var tokens = Corpus.Stretches(text, 32);
        Assert.Equal([3L, 32], tokens.shape);
        Assert.Equal(text[..96], string.Concat(tokens.unbind(0).Select(Corpus.Decode)));
        Assert.Equal("to be or not", Corpus.Simplify("To be, or NOT"));
        Assert.Contains("simplify", Assert.Throws<ArgumentException>(() => Corpus.Stretches("A", 1)).Message, StringComparison.Ordinal);
    }
}
