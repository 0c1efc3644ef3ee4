using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>CLIP's tokenizer against encodings that its authors' program gives, and the tiny one of a published folder.</summary>
public class ClipTokenizerTests
{
    private static readonly Lazy<ClipTokenizer> Published = new(() => ClipTokenizer.FromMerges(Shared.Data("text/bpe_simple_vocab_16e6.txt.gz")));

    [Theory]
    [InlineData("a photo of a cat", new[] { 320, 1125, 539, 320, 2368 })]
    [InlineData("a diagram", new[] { 320, 22697 })]
    [InlineData("hello world!", new[] { 3306, 1002, 256 })]
    [InlineData("  A \n Dog ", new[] { 320, 1929 })]
    [InlineData("", new int[0])]
    public void Encodes_as_the_original(string text, int[] tokens)
    {
        Assert.Equal(tokens, Published.Value.Tokens(text));
        using var encoded = Published.Value.Encode([text]);
        Assert.Equal([49406, .. tokens.Select(t => (long)t), .. Enumerable.Repeat(49407L, 76 - tokens.Length)], encoded[0].data<long>().ToArray());
    }

    [Theory]
    [InlineData("naïve café, 12 äpfel 🙂 日本")]
    [InlineData("the quick brown fox")]
    public void Text_comes_back_with_its_words(string text) =>
        Assert.Equal(string.Concat(text.Where(c => c != ' ')), Published.Value.Decode(Published.Value.Tokens(text)).Replace(" ", "", StringComparison.Ordinal));

    [Fact]
    public void The_vocabulary_has_the_published_size() => Assert.Equal(49408, Published.Value.VocabSize);

    [Fact]
    public void Composed_and_decomposed_letters_are_the_same()
    {
        if (!string.Equals("e\u0301".Normalize(), "é", StringComparison.Ordinal)) Assert.Skip("this build is for invariant globalisation, where nothing composes letters");
        Assert.Equal(Published.Value.Tokens("café"), Published.Value.Tokens("cafe\u0301"));
    }

    [Fact]
    public void What_does_not_fit_is_an_error_or_in_chunks_and_never_cut()
    {
        string text = string.Join(' ', Enumerable.Repeat("cat", 80));
        Assert.Contains("80 tokens and 75 fit", Assert.Throws<ArgumentException>(() => Published.Value.Encode([text])).Message, StringComparison.Ordinal);
        using var chunks = Published.Value.EncodeInChunks([text, "a cat"]);
        Assert.Equal([2, 2, 77], chunks.shape);
        Assert.Equal(80, chunks[0].eq(2368).sum().item<long>());
        Assert.Equal(49407, chunks[1, 1, 1].item<long>()); // the short one's second chunk is empty
        Assert.Equal(49406, chunks[1, 1, 0].item<long>());
    }

    [Fact]
    public void A_folder_is_read_as_published()
    {
        var tiny = ClipTokenizer.FromFolder(Shared.Data("weights/formats/tiny_sd_pipeline/tokenizer"));
        Assert.Equal(77, tiny.Length);
        Assert.Equal(tiny.EndId, tiny.PadId);
        Assert.Equal("a cat!", tiny.Decode(tiny.Tokens("A cat!")).Replace(" !", "!", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "a": 0, "b": 2 }""", "#version\n", "without gaps")]
    [InlineData("""{ "a": 0, "b": 1 }""", "#version\n", "lacks '<|startoftext|>'")]
    [InlineData("""[1]""", "#version\n", "damaged")]
    [InlineData("""{ "a": """, "#version\n", "damaged")]
    public void Damaged_folders_are_refused(string vocab, string merges, string message)
    {
        using var folder = new TempFolder();
        File.WriteAllText(Path.Combine(folder.Path, "vocab.json"), vocab);
        File.WriteAllText(Path.Combine(folder.Path, "merges.txt"), merges);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => ClipTokenizer.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
    }
}
