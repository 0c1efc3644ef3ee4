using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>CLIP beyond its goldens.</summary>
public class ClipTests
{
    private static readonly ClipTextConfig Small = new() { VocabSize = 20, HiddenSize = 8, IntermediateSize = 16, NumHiddenLayers = 2, NumAttentionHeads = 2, MaxPositionEmbeddings = 6, EosTokenId = 19 };

    [Fact]
    public void The_pooled_vector_is_that_of_the_first_end_and_nothing_after_it_matters()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var network = new ClipText(Small);
        var states = network.Encode(tensor(new long[,] { { 1, 2, 19, 3, 4, 19 }, { 1, 2, 19, 5, 6, 7 } }));
        Assert.True((states.Pooled[0] - states.Pooled[1]).abs().max().item<float>() < 1e-6);
        Assert.True((states.Pooled[0] - states.Last[0, 2]).abs().max().item<float>() == 0);
        Assert.Null(states.Embedding);
        Assert.Equal(3, states.HiddenStates.Count);
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        using var scope = NewDisposeScope();
        using var network = new ClipText(Small);
        Assert.Contains("at most 6", Assert.Throws<ArgumentException>(() => network.Encode(ones(1, 7, int64))).Message, StringComparison.Ordinal);
        Assert.Contains("token 20", Assert.Throws<ArgumentException>(() => network.Encode(full([1, 3], 20, int64))).Message, StringComparison.Ordinal);
        Assert.Contains("multiple of num_attention_heads", Assert.Throws<ArgumentException>(() => new ClipText(Small with { NumAttentionHeads = 3 })).Message, StringComparison.Ordinal);
        Assert.Contains("'swish'", Assert.Throws<ArgumentException>(() => new ClipText(Small with { HiddenAct = "swish" })).Message, StringComparison.Ordinal);
        using var vision = new ClipVision(new() { ImageSize = 8, PatchSize = 4, HiddenSize = 8, IntermediateSize = 8, NumHiddenLayers = 1, NumAttentionHeads = 2 });
        Assert.Contains("[N, 3, 8, 8]", Assert.Throws<ArgumentException>(() => vision.Encode(rand(1, 3, 8, 12))).Message, StringComparison.Ordinal);
    }
}
