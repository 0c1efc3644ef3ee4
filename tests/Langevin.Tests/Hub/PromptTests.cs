using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Weights in prompts, and words of textual inversions.</summary>
public class PromptTests
{
    [Theory]
    [InlineData("a (red) cat", "a |1;red|1.1; cat|1")]
    [InlineData("a (red:1.5) [cat]", "a |1;red|1.5; |1;cat|0.909")]
    [InlineData("((very) old) \\(1900\\)", "very|1.21; old|1.1; (1900)|1")]
    [InlineData("(a [b] c:2)", "a |2;b|1.818; c|2")]
    [InlineData("ratio 3:4 (of 3:4)", "ratio 3:4 |1;of 3|4")]
    [InlineData("", "")]
    public void Brackets_say_what_counts(string prompt, string expected) =>
        Assert.Equal(expected, string.Join(';', WeightedText.Parse(prompt).Select(p => FormattableString.Invariant($"{p.Text}|{Math.Round(p.Weight, 3)}"))));

    [Theory, InlineData("a (b", "not closed"), InlineData("a b)", "closes nothing"), InlineData("(a]", "closes nothing"), InlineData("(a:-1)", "positive")]
    public void Brackets_that_do_not_fit_are_errors(string prompt, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => WeightedText.Parse(prompt)).Message, StringComparison.Ordinal);

    [Fact]
    public void Weights_multiply_the_states_and_keep_their_mean()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var prompts = PromptEncoder.Load(ModelFolder.Open(folder.Path));
        Tensor Of(string prompt, bool weighted = true) => prompts.Encode([prompt], new(Weighted: weighted))[UNet2DCondition.ContextSlot]!;
        var plain = Of("a cat", weighted: false);
        Assert.True((Of("a cat") - plain).abs().max().item<float>() < 1e-6);
        var weighted = Of("a (cat:2)");
        // Start, a, c, a, t, end and filling: the tiny tokenizer reads letters.
        var expected = plain * tensor(new float[] { 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1 }).view(1, 12, 1);
        expected = expected * (plain.mean() / expected.mean());
        Assert.True((weighted - expected).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void A_word_stands_for_its_vectors()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var prompts = PromptEncoder.Load(ModelFolder.Open(folder.Path));
        var text = prompts.Model("text_encoder")!;
        var table = text.named_parameters().Single(p => p.name.EndsWith("token_embedding.weight", StringComparison.Ordinal)).parameter;
        Tensor Of(string prompt) => prompts.Encode([prompt])[UNet2DCondition.ContextSlot]!;
        var expected = Of("a b");
        // The vectors that the letters have anyway: the word reads as they do, wherever it stands.
        string file = folder["word.safetensors"];
        var tokenizer = ClipTokenizer.FromFolder(Path.Combine(folder.Path, "tokenizer"));
        SafeTensors.Save(file, new Dictionary<string, Tensor> { ["<ab>"] = table.index_select(0, tensor(tokenizer.Tokens("a b").Select(t => (long)t).ToArray())).detach() });
        using var word = TextualInversion.Load(file);
        Assert.Equal("<ab>", word.Token);
        prompts.Add(word);
        Assert.True((Of("<ab>") - expected).abs().max().item<float>() < 1e-6);
        Assert.True((Of("c <ab> d") - Of("c a b d")).abs().max().item<float>() < 1e-6);
        Assert.Contains("already", Assert.Throws<ArgumentException>(() => prompts.Add(word)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Published_words_are_read_and_those_of_another_model_refused()
    {
        using var scope = NewDisposeScope();
        using var word = TextualInversion.Load(Shared.Data("weights/formats/textual_inversion/learned_embeds_1.bin"));
        Assert.Equal("<frida>", word.Token);
        Assert.Equal([10, 768], Assert.Single(word.Vectors).shape);
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var prompts = PromptEncoder.Load(ModelFolder.Open(folder.Path));
        Assert.Contains("768", Assert.Throws<InvalidDataException>(() => prompts.Add(word)).Message, StringComparison.Ordinal);
        SafeTensors.Save(folder["two.safetensors"], new Dictionary<string, Tensor> { ["a"] = randn(8), ["b"] = randn(8) });
        Assert.Contains("one token", Assert.Throws<InvalidDataException>(() => TextualInversion.Load(folder["two.safetensors"])).Message, StringComparison.Ordinal);
        SafeTensors.Save(folder["style.safetensors"], new Dictionary<string, Tensor> { ["emb_params"] = randn(3, 8) });
        using var style = TextualInversion.Load(folder["style.safetensors"]);
        Assert.Equal("<style>", style.Token);
    }
}
