using Langevin.Networks;
using Langevin.Networks.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public class UNet2DTests
{
    [Fact]
    public void Folded_upsampling_is_repetition_then_convolution()
    {
        using var scope = NewDisposeScope();
        var x = randn([2, 3, 5, 4], ScalarType.Float64).requires_grad_(true);
        var w = randn([6, 3, 3, 3], ScalarType.Float64).requires_grad_(true);
        var b = randn([6], ScalarType.Float64).requires_grad_(true);
        var plain = nn.functional.conv2d(nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest), w, b, padding: [1, 1]);
        var folded = UpsampleConv2d.Folded(x, w, b);
        Assert.True(folded.allclose(plain, 1e-12, 1e-12));
        var g = randn_like(plain);
        Tensor[] Gradients(Tensor y)
        {
            foreach (var leaf in new[] { x, w, b }) leaf.grad = null;
            y.backward([g]);
            return [.. new[] { x, w, b }.Select(leaf => leaf.grad!.clone())];
        }
        foreach (var (one, two) in Gradients(plain).Zip(Gradients(folded))) Assert.True(two.allclose(one, 1e-12, 1e-12));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("scale_shift")]
    public void Layout_changes_nothing_but_speed(string conditioning)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        foreach (int channels in new[] { 1, 2 })
        {
            using var network = new UNet2D(NetworkContractTests.Small with { InChannels = channels, ResnetTimeScaleShift = conditioning });
            network.to(ScalarType.Float64);
            var x = randn([3, channels, 8, 8], ScalarType.Float64);
            var t = tensor([0L, 500, 999]);
            var label = Condition.OfLabel(tensor([0L, 2, -1]));
            network.ChannelsLast = false;
            var planes = network.call(x, t, label);
            network.ChannelsLast = true;
            Assert.True(network.call(x, t, label).allclose(planes, 1e-10, 1e-11));
        }
    }

    [Fact]
    public void Label_none_is_the_last_row()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(NetworkContractTests.Small);
        var x = randn(2, 2, 8, 8);
        var t = tensor([3L, 4]);
        var none = network.call(x, t, Condition.OfLabel(tensor([-1L, -1])));
        Assert.Equal(none, network.call(x, t, Condition.OfLabel(tensor([3L, 3]))));
        Assert.NotEqual(none, network.call(x, t, Condition.OfLabel(tensor([0L, 0]))));
    }

    [Fact]
    public void One_seed_gives_one_network()
    {
        using var scope = NewDisposeScope();
        Tensor Answer()
        {
            manual_seed(11);
            using var network = new UNet2D(NetworkContractTests.Small);
            return network.call(ones(1, 2, 8, 8), tensor([10L]), Condition.OfLabel(tensor([1L])));
        }
        Assert.True(Answer().equal(Answer()).all().item<bool>());
    }

    [Fact]
    public void Zeroed_output_answers_zero()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(NetworkContractTests.Small, zeroOutput: true);
        Assert.Equal(0, network.call(randn(1, 2, 8, 8), tensor([10L]), Condition.OfLabel(tensor([1L]))).abs().max().item<float>());
    }

    [Fact]
    public void Begins_as_PyTorch_does()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(new() { BlockOutChannels = [64], DownBlockTypes = ["DownBlock2D"], UpBlockTypes = ["UpBlock2D"], AttentionHeadDim = null });
        var weights = network.state_dict();
        // U(±1/√fan-in): fan-in of conv1 is 64·9, of linear_1 64.
        foreach (var (key, fanIn) in new[] { ("mid_block.resnets.0.conv1.weight", 576), ("mid_block.resnets.0.conv1.bias", 576), ("time_embedding.linear_1.weight", 64) })
        {
            double bound = 1 / Math.Sqrt(fanIn), highest = weights[key].abs().max().item<float>();
            Assert.InRange(highest, 0.9 * bound, bound);
        }
        Assert.Equal(1, weights["mid_block.resnets.0.norm1.weight"].min().item<float>());
        Assert.Equal(0, weights["mid_block.resnets.0.norm1.bias"].abs().max().item<float>());
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("learned")]
    public void Other_embeddings_work(string kind)
    {
        using var scope = NewDisposeScope();
        var config = NetworkContractTests.Small with { NumClassEmbeds = null };
        config = kind == "identity" ? config with { ClassEmbedType = "identity" } : config with { TimeEmbeddingType = "learned", NumTrainTimesteps = 20 };
        using var network = new UNet2D(config);
        var x = randn(2, 2, 8, 8);
        Tensor At(long t, float value) => network.call(x, full([2], t, ScalarType.Int64),
            kind == "identity" ? Condition.None.With("vector", full([2, 64], value)) : Condition.None);
        Assert.NotEqual(At(3, 0), kind == "identity" ? At(3, 1) : At(4, 0));
        if (kind == "learned") Assert.Contains("20 is out of range", Assert.Throws<ArgumentException>(() => At(20, 0)).Message);
    }

    [Fact]
    public void Unconditional_networks_refuse_labels()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(NetworkContractTests.Small with { NumClassEmbeds = null });
        var x = randn(1, 2, 8, 8);
        network.call(x, tensor([1L]), Condition.None);
        Assert.Contains("num_class_embeds", Assert.Throws<ArgumentException>(() => network.call(x, tensor([1L]), Condition.OfLabel(tensor([0L])))).Message);
    }
}
