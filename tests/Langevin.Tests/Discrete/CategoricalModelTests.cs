using Langevin.Discrete;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Discrete;

public sealed class CategoricalModelTests
{
    /// <summary>Knows that sequences are drawn from a list with given chances: p(x_0 | x_n) by Bayes' rule.</summary>
    private sealed class ListDenoiser(CategoricalProcess process, Tensor sequences, double[] chances) : ICategoricalDenoiser
    {
        public CategoricalProcess Process => process;

        public Tensor LogProbabilities(Tensor x, Tensor n, Condition condition)
        {
            using var scope = NewDisposeScope();
            var each = new List<Tensor>();
            for (int i = 0; i < x.size(0); i++)
            {
                var q = process.Transition(-1, (int)n[i].item<long>());
                var likelihood = q[sequences, x[i].unsqueeze(0).expand_as(sequences)].prod(1) * tensor(chances); // [S]
                var weights = likelihood / likelihood.sum();
                each.Add((process.OneHot(sequences).to(float64) * weights.view(-1, 1, 1)).sum([0L]));
            }
            return stack(each).clamp_min(1e-30).log().MoveToOuterDisposeScope();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_bound_of_the_exact_denoiser_of_one_element_is_the_entropy(bool absorbing)
    {
        // With one element the reverse chain of the exact belief is exact, so that the bound is tight.
        using var scope = NewDisposeScope();
        double[] betas = CategoricalProcess.Reciprocal(6), chances = [0.5, 0.3, 0.2];
        using var process = absorbing ? CategoricalProcess.Absorbing(betas, 4) : CategoricalProcess.Uniform(betas, 4);
        var denoiser = new ListDenoiser(process, tensor(new long[] { 0, 1, 2 }).view(3, 1), chances);
        const int count = 4000;
        var x0 = CategoricalProcess.Draw(tensor(chances).expand(count, 1, 3), new SeededNoise(9));
        var bits = CategoricalObjective.Bits(denoiser, x0, Condition.None, new SeededNoise(2));
        double entropy = -chances.Sum(c => c * Math.Log2(c)), error = (bits.std() / Math.Sqrt(count)).item<double>();
        Assert.Equal(entropy, bits.mean().item<double>(), 4 * error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Samples_of_the_exact_denoiser_have_the_distribution_of_the_data(bool absorbing)
    {
        using var scope = NewDisposeScope();
        double[] betas = CategoricalProcess.Reciprocal(5), chances = [0.6, 0.3, 0.1];
        using var process = absorbing ? CategoricalProcess.Absorbing(betas, 4) : CategoricalProcess.Uniform(betas, 4);
        var denoiser = new ListDenoiser(process, tensor(new long[] { 0, 1, 2 }).view(3, 1), chances);
        const int count = 3000;
        var noise = new SeededNoise(4);
        var x = new CategoricalSampler().Run(denoiser, process.DrawPrior([count, 1], noise), CategoricalSampler.Grid(5, 5), noise);
        for (int k = 0; k < 3; k++) Assert.Equal(chances[k], x.eq(k).to(float64).mean().item<double>(), 4 * Math.Sqrt(chances[k] * (1 - chances[k]) / count));
    }

    [Fact]
    public void Implicit_steps_of_the_absorbing_chain_are_its_reverse_steps()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Absorbing(CategoricalProcess.Reciprocal(8), 4);
        var denoiser = new ListDenoiser(process, tensor(new long[,] { { 0, 1, 2 }, { 1, 1, 0 } }), [0.5, 0.5]);
        var start = process.DrawPrior([200, 3], new SeededNoise(1));
        var grid = CategoricalSampler.Grid(8, 4);
        var ancestral = new CategoricalSampler().Run(denoiser, start, grid, new SeededNoise(7));
        var implicitly = new CategoricalSampler(Implicit: true).Run(denoiser, start, grid, new SeededNoise(7));
        Assert.True(ancestral.eq(implicitly).all().item<bool>());
    }

    [Fact]
    public void Known_elements_stay_and_decide_the_rest()
    {
        // Both sequences begin otherwise: to know the first element is to know all.
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Uniform(CategoricalProcess.Reciprocal(30), 3);
        var sequences = tensor(new long[,] { { 0, 1, 2, 1 }, { 2, 2, 0, 0 } });
        var denoiser = new ListDenoiser(process, sequences, [0.5, 0.5]);
        var seen = ones([1, 4, 3], float64);
        seen[0, 0] = tensor([0.0, 0, 1]);
        var noise = new SeededNoise(3);
        var x = new CategoricalSampler().Run(denoiser, process.DrawPrior([100, 4], noise), CategoricalSampler.Grid(30, 30), noise, likelihood: seen);
        Assert.True(x.select(1, 0).eq(2).all().item<bool>());
        var free = new CategoricalSampler().Run(denoiser, process.DrawPrior([100, 4], noise), CategoricalSampler.Grid(30, 30), noise);
        double with = x.eq(sequences[1]).all(1).to(float64).mean().item<double>(), without = free.eq(sequences[1]).all(1).to(float64).mean().item<double>();
        Assert.True(with > without + 0.1, $"{with} with, {without} without");
    }

    [Fact]
    public void A_loss_of_cross_entropy_alone_is_the_surprise_of_the_belief()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Uniform([0.5, 0.5], 3);
        var network = new TokenTransformer(new() { Channels = 3, Length = 6, Width = 8, Heads = 2, Blocks = 1 });
        // At zero output all states are alike.
        var loss = new CategoricalObjective(0, 1).Loss(new CategoricalDenoiser(network, process), zeros([4, 6], int64), Condition.None, tensor(new long[] { 0, 1, 0, 1 }), new SeededNoise(0));
        Assert.True((loss - Math.Log(3)).abs().max().item<float>() < 1e-6);
        var masked = new CategoricalDenoiser(network, process, neverClean: 2).LogProbabilities(zeros([1, 6], int64), zeros([1], int64), Condition.None).exp();
        Assert.True((masked[0, 0] - tensor([0.5f, 0.5f, 0f])).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void A_change_is_counted_from_the_clean_state()
    {
        using var scope = NewDisposeScope();
        using var process = CategoricalProcess.Uniform([0.5], 2);
        // Logits (2, 0): kept with probability e²/(e² + 1).
        var network = new FunctionNetwork((x, _) => tensor([2f, 0f]).view(1, 2, 1).expand(x.shape));
        var p = new CategoricalDenoiser(network, process, CategoricalPrediction.Change).LogProbabilities(tensor(new long[,] { { 0, 1 } }), zeros([1], int64), Condition.None).exp();
        double kept = 1 / (1 + Math.Exp(-2));
        Assert.Equal(kept, p[0, 0, 0].item<float>(), 1e-6);
        Assert.Equal(kept, p[0, 1, 1].item<float>(), 1e-6);
    }

    [Fact]
    public void A_causal_transformer_does_not_see_what_comes_after_and_another_does()
    {
        using var scope = NewDisposeScope();
        foreach (bool causal in new[] { true, false })
        {
            manual_seed(0);
            var network = new TokenTransformer(new() { Channels = 3, Length = 5, Width = 8, Heads = 2, Blocks = 2, Causal = causal });
            using (no_grad())
                foreach (var p in network.parameters()) p.copy_(randn_like(p) * 0.5); // its output layer begins at zero
            var x = randn(1, 3, 5);
            var other = x.clone();
            other[0, 0, 4] += 1;
            var change = (network.call(x, zeros(1), Condition.None) - network.call(other, zeros(1), Condition.None)).abs()[0].sum([0L]);
            Assert.Equal(causal, change[..4].max().item<float>() < 1e-6);
            Assert.True(change[4].item<float>() > 1e-4);
        }
    }

    [Fact]
    public void A_transformer_knows_which_token_is_how_far_away()
    {
        using var scope = NewDisposeScope();
        manual_seed(0);
        var network = new TokenTransformer(new() { Channels = 3, Length = 8, Width = 8, Heads = 2, Blocks = 1 });
        using (no_grad())
            foreach (var p in network.parameters()) p.copy_(randn_like(p) * 0.3);
        Tensor At(params long[] tokens) => network.call(nn.functional.one_hot(tensor(tokens), 3).to(float32).t().unsqueeze(0), zeros(1), Condition.None)[0];
        // Without positions the middle could not tell which neighbour is near.
        var middle = At(0, 1, 2, 1, 0);
        var swapped = At(0, 1, 2, 0, 1);
        Assert.InRange((middle[.., 2] - swapped[.., 2]).abs().max().item<float>(), 1e-4, 1e4);
    }

    [Fact]
    public void A_transformer_is_built_again_from_its_configuration()
    {
        using var scope = NewDisposeScope();
        using var network = new TokenTransformer(new() { Channels = 5, OutChannels = 7, Length = 9, Width = 12, Heads = 3, Blocks = 2, Causal = true, ClassCount = 2 });
        using var again = (TokenTransformer)Langevin.Hub.NetworkConfig.Create(Langevin.Hub.NetworkConfig.ToJson(network));
        Assert.Equal(network.Config, again.Config);
        Assert.Equal([1, 7, 9], again.call(randn(1, 5, 9), zeros(1), Condition.OfLabel(tensor(new long[] { -1 }))).shape);
        Assert.Contains("multiple of twice the heads", Assert.Throws<ArgumentException>(() => new TokenTransformer(new() { Width = 10, Heads = 3 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_is_shown_a_picture_beside_its_input()
    {
        using var scope = NewDisposeScope();
        var network = new Beside(new FunctionNetwork((x, _) => x.narrow(1, 0, 1) + 10 * x.narrow(1, 1, 1)), "scan", 1);
        Assert.Equal(21, network.call(ones(1, 1, 2, 2), zeros(1), Condition.None.With("scan", full([1, 1, 2, 2], 2f)))[0, 0, 0, 0].item<float>());
        Assert.Equal(1, network.call(ones(1, 1, 2, 2), zeros(1), Condition.None)[0, 0, 0, 0].item<float>());
        Assert.Throws<ArgumentException>(() => network.call(ones(1, 1, 2, 2), zeros(1), Condition.None.With("scan", ones(1, 2, 2, 2))));
    }
}
