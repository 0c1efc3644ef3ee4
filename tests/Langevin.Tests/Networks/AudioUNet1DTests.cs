using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>The U-Net for audio: its keys, its filters, and that everything in it counts.</summary>
public class AudioUNet1DTests
{
    private const string Json = """
        { "_class_name": "UNet1DModel", "sample_size": 64, "in_channels": 2, "out_channels": 2, "extra_in_channels": 16, "block_out_channels": [32, 32, 64], "layers_per_block": 1,
          "down_block_types": ["DownBlock1DNoSkip", "DownBlock1D", "AttnDownBlock1D"], "up_block_types": ["AttnUpBlock1D", "UpBlock1D", "UpBlock1DNoSkip"], "mid_block_type": "UNetMidBlock1D",
          "time_embedding_type": "fourier", "flip_sin_to_cos": true, "use_timestep_embedding": false, "freq_shift": 0.0, "norm_num_groups": 8, "downsample_each_block": false, "act_fn": null, "out_block_type": null }
        """;

    [Fact]
    public void Keys_and_shapes_are_diffusers()
    {
        using var network = NetworkConfig.Create(Json);
        var shapes = network.state_dict().ToDictionary(p => p.Key, p => string.Join("×", p.Value.shape));
        // As the class of that name saves them.
        Assert.Equal("8", shapes["time_proj.weight"]);
        Assert.Equal("32×18×5", shapes["down_blocks.0.resnets.0.conv_1.weight"]);
        Assert.Equal("32×18×1", shapes["down_blocks.0.resnets.0.conv_skip.weight"]);
        Assert.Equal("8", shapes["down_blocks.1.down.kernel"]);
        Assert.Equal("64", shapes["down_blocks.2.attentions.1.group_norm.bias"]);
        Assert.Equal("64×64", shapes["mid_block.attentions.5.proj_attn.weight"]);
        Assert.Equal("32×128×5", shapes["up_blocks.0.resnets.0.conv_1.weight"]);
        Assert.Equal("32×64×5", shapes["up_blocks.1.resnets.0.conv_1.weight"]);
        Assert.Equal("2×32×5", shapes["up_blocks.2.resnets.2.conv_2.weight"]);
        Assert.DoesNotContain("up_blocks.2.resnets.2.group_norm_2.weight", shapes.Keys);
        Assert.DoesNotContain("up_blocks.2.up.kernel", shapes.Keys);
        Assert.Equal(NetworkConfig.ToJson(network), NetworkConfig.ToJson(NetworkConfig.Create(NetworkConfig.ToJson(network))));
    }

    [Fact]
    public void Everything_counts()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var network = NetworkConfig.Create(Json);
        var x = randn(2, 2, 64);
        var y = network.call(x, tensor(new[] { 0.2f, 0.7f }), Condition.None);
        Assert.Equal(x.shape, y.shape);
        y.square().sum().backward();
        Assert.All(network.named_parameters().Where(p => p.parameter.requires_grad), p => Assert.True(p.parameter.grad is { } g && g.abs().max().item<float>() > 0 || p.name.EndsWith("key.bias", StringComparison.Ordinal), p.name));
        using var _ = no_grad();
        Assert.True((network.call(x, tensor(new[] { 0.2f, 0.8f }), Condition.None)[1] - y[1]).abs().max().item<float>() > 1e-5);
        // Rows do not mix.
        Assert.True((network.call(x.narrow(0, 0, 1), tensor(new[] { 0.2f }), Condition.None)[0] - y[0]).abs().max().item<float>() < 1e-4);
    }

    [Theory]
    [InlineData("\"UNetMidBlock1D\"", "\"ValueFunctionMidBlock1D\"", "UNet1DModel: down_block_types")]
    [InlineData("\"extra_in_channels\": 16", "\"extra_in_channels\": 16, \"time_embedding_dim\": 8", "as many")]
    [InlineData("\"DownBlock1D\"", "\"DownResnetBlock1D\"", "is unknown")]
    [InlineData("[32, 32, 64]", "[32, 64]", "same length")]
    public void Other_forms_are_refused(string old, string other, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => NetworkConfig.Create(Json.Replace(old, other, StringComparison.Ordinal))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_length_that_cannot_be_halved_is_said()
    {
        using var network = NetworkConfig.Create(Json);
        Assert.Contains("multiple of 8", Assert.Throws<ArgumentException>(() => network.call(zeros(1, 2, 60), zeros(1), Condition.None)).Message, StringComparison.Ordinal);
    }
}
