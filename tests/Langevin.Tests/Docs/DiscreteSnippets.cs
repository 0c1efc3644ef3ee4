using Langevin.Data.Procedural;
using Langevin.Discrete;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/discrete.md.</summary>
public class DiscreteSnippets
{
    [Fact]
    public void A_chain_over_characters_learns_and_draws()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var noise = new SeededNoise(1);
        using var process = CategoricalProcess.Absorbing(CategoricalProcess.Reciprocal(50), states: 28);    // 27 characters and the mask
        using var network = new TokenTransformer(new() { Channels = 28, Length = 32, Width = 64, Blocks = 2 });
        var denoiser = new CategoricalDenoiser(network, process, neverClean: 27);

        Tensor x0 = Corpus.Stretches(Corpus.Text(8 * 32), 32);                                              // int64 [8, 32]
        Tensor n = randint(0, process.Steps, [8], ScalarType.Int64);
        Tensor loss = new CategoricalObjective(Bound: 1, CrossEntropy: 0.01).Loss(denoiser, x0, Condition.None, n, noise).mean();
        Tensor bits = CategoricalObjective.Bits(denoiser, x0, Condition.None, noise);                       // bound on −log₂ p of each

        int[] grid = CategoricalSampler.Grid(process.Steps, 10);
        Tensor drawn = new CategoricalSampler(Implicit: true).Run(denoiser, process.DrawPrior([4, 32], noise), grid, noise);
        string text = Corpus.Decode(drawn[0]);
        loss.backward();
        // Untrained, every character is as likely as any: the bound is that of even chances, but for which steps unmask what.
        Assert.Equal(32 * Math.Log2(27), bits.mean().item<double>(), 32 * Math.Log2(27) * 0.15);
        Assert.DoesNotContain('?', text);
        Assert.Equal(32, text.Length);
    }
}
