using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public class AutoencoderTests
{
    private static readonly AutoencoderKLConfig Small = new() { InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 8, 16], NormNumGroups = 4, DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 3)], UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 3)] };

    private static readonly VQModelConfig SmallVq = new() { InChannels = 1, OutChannels = 1, BlockOutChannels = [8, 8], NormNumGroups = 4, DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 2)], UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 2)], NumVqEmbeddings = 5, VqEmbedDim = 2 };

    [Fact]
    public void Shapes_are_those_of_the_levels()
    {
        using var scope = NewDisposeScope();
        using var network = new AutoencoderKL(Small);
        var x = randn(2, 1, 12, 8);
        var code = network.Encode(x);
        Assert.Equal([2L, 4, 3, 2], code.Mean.shape);
        Assert.Equal([2L], code.KullbackLeibler().shape);
        Assert.Equal(x.shape, network.call(x).shape);
        Assert.Throws<ArgumentException>(() => network.Encode(randn(2, 1, 10, 8)));
        Assert.Throws<ArgumentException>(() => network.Decode(randn(2, 3, 3, 2)));
    }

    [Fact]
    public void Divergence_is_the_integral_and_draws_have_the_moments()
    {
        using var scope = NewDisposeScope();
        var code = new LatentGaussian(tensor([0.3, -1.0]).view(1, 2), tensor([-0.5, 0.4]).view(1, 2));
        // ∫ q ln(q/p) by the rectangle rule, which is exact to rounding here.
        var z = linspace(-14, 14, 28_001, ScalarType.Float64);
        double sum = 0;
        foreach (var (m, l) in new[] { (0.3, -0.5), (-1.0, 0.4) })
        {
            var q = (-0.5 * ((z - m).square() * Math.Exp(-l) + l)).exp() / Math.Sqrt(2 * Math.PI);
            sum += (q * (-0.5 * ((z - m).square() * Math.Exp(-l) + l) + 0.5 * z.square())).sum().item<double>() * 1e-3;
        }
        Assert.Equal(sum, code.KullbackLeibler().item<double>(), 1e-10);
        var noise = tensor([1.0, -2.0]).view(1, 2);
        Assert.Equal([0.3 + Math.Exp(-0.25), -1 - 2 * Math.Exp(0.2)], code.Sample(noise).data<double>().ToArray().Select(v => Math.Round(v, 14)).ToArray(), (a, b) => Math.Abs(a - b) < 1e-13);
    }

    [Fact]
    public void Codes_are_rounded_to_the_nearest_vector_and_gradients_pass_straight_through()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using var network = new VQModel(SmallVq);
        var table = network.state_dict()["quantize.embedding.weight"];
        using (no_grad()) table.copy_(randn(5, 2));
        var z = randn(3, 2, 4, 4).requires_grad_(true);
        var code = network.Quantize(z);
        var (rows, vectors) = (z.detach().permute(0, 2, 3, 1).reshape(-1, 2).data<float>().ToArray().Chunk(2).ToArray(), table.detach().data<float>().ToArray().Chunk(2).ToArray());
        long[] nearest = [.. rows.Select(r => (long)Enumerable.Range(0, 5).MinBy(k => r.Zip(vectors[k], (a, b) => (a - b) * (a - b)).Sum()))];
        Assert.Equal(nearest, code.Indices.flatten().data<long>().ToArray());
        var rounded = table.detach().index_select(0, tensor(nearest));
        Assert.True((code.Values.permute(0, 2, 3, 1).reshape(-1, 2) - rounded).abs().max().item<float>() < 1e-6);

        // Straight through: the gradient of a sum is one for every number of z, and none of it reaches the table.
        code.Values.sum().backward(retain_graph: true);
        Assert.True(z.grad!.eq(1).all().item<bool>());
        var parameter = network.named_parameters().First(p => p.name == "quantize.embedding.weight").parameter;
        Assert.True(parameter.grad is null || parameter.grad.abs().max().item<float>() == 0);

        // Both losses are the mean square error; one moves the codes, the other the vectors.
        z.grad!.zero_();
        var flat = z.detach().permute(0, 2, 3, 1).reshape(-1, 2);
        double error = (flat - rounded).square().mean().item<float>();
        Assert.Equal(error, code.Codebook.item<float>(), 1e-5);
        Assert.Equal(error, code.Commitment.item<float>(), 1e-5);
        (code.Codebook + 0.25 * code.Commitment).backward();
        var pull = (0.25 * 2 / flat.numel() * (flat - rounded)).view(3, 4, 4, 2).permute(0, 3, 1, 2);
        Assert.True((z.grad! - pull).abs().max().item<float>() < 1e-7);
        var toCodes = zeros(5, 2).index_add(0, tensor(nearest), 2.0 / flat.numel() * (rounded - flat), 1);
        Assert.True((parameter.grad! - toCodes).abs().max().item<float>() < 1e-6);

        double[] share = [.. nearest.GroupBy(i => i).Select(g => g.Count() / 48.0)];
        Assert.Equal(Math.Exp(-share.Sum(p => p * Math.Log(p))), code.Perplexity.item<double>(), 1e-9);
    }

    [Fact]
    public void Configurations_are_written_as_they_are_read()
    {
        Assert.Equal(Small.ToJson(), AutoencoderKLConfig.Parse(Small.ToJson()).ToJson());
        Assert.Equal(SmallVq.ToJson(), VQModelConfig.Parse(SmallVq.ToJson()).ToJson());
        Assert.Contains("\"_class_name\": \"VQModel\"", SmallVq.ToJson(), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new AutoencoderKL(Small with { DownBlockTypes = ["DownEncoderBlock2D"] }));
        Assert.Throws<ArgumentException>(() => new VQModel(SmallVq with { NormType = "spatial" }));
    }
}
