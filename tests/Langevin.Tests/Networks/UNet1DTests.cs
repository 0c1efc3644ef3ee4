using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public sealed class UNet1DTests
{
    private static readonly UNet1DConfig Small = new() { BlockOutChannels = [8, 16], NormNumGroups = 4, AttentionHeadDim = 8 };

    [Fact]
    public void ConfigurationSurvivesJson()
    {
        var config = new UNet1DConfig { InChannels = 2, OutChannels = 4, BlockOutChannels = [16, 48], LayersPerBlock = 2, NormNumGroups = 4, AttentionHeadDim = 16, ClassCount = 3, Dropout = 0.25 };
        Assert.Equal(config, UNet1DConfig.Parse(config.ToJson()));
        Assert.NotEqual(config, config with { BlockOutChannels = [16, 32] });
        Assert.Contains("\"_class_name\": \"UNet1D\"", config.ToJson());
        Assert.Contains("\"block_out_channels\": [", config.ToJson());
        using var net = new UNet1D(config);
        Assert.Equal(config, net.Config);
    }

    [Fact]
    public void UnknownKeyNamesTheNearest()
    {
        var e = Assert.Throws<InvalidDataException>(() => UNet1DConfig.Parse("""{ "layer_per_block": 3 }"""));
        Assert.Contains("'layers_per_block'", e.Message);
    }

    [Theory]
    [InlineData("norm_num_groups", "5"), InlineData("attention_head_dim", "48"), InlineData("layers_per_block", "0"), InlineData("in_channels", "0"),
     InlineData("block_out_channels", "[]"), InlineData("block_out_channels", "null"), InlineData("dropout", "1"), InlineData("class_count", "-1")]
    public void ValuesOutOfRangeAreNamed(string key, string value)
    {
        var config = UNet1DConfig.Parse($$"""{ "{{key}}": {{value}} }""");
        Assert.Contains(key, Assert.Throws<ArgumentException>(() => new UNet1D(config)).Message);
    }

    [Fact]
    public void LengthThatTheLevelsDoNotDivideIsNamed()
    {
        using var scope = NewDisposeScope();
        var net = new UNet1D(Small with { BlockOutChannels = [8, 8, 8] });
        Assert.Equal([2, 1, 4], net.call(randn(2, 1, 4), rand(2), Condition.None).shape);
        foreach (long length in new long[] { 0, 2, 6, 13 })
        {
            var e = Assert.Throws<ArgumentException>(() => net.call(randn(2, 1, length), rand(2), Condition.None));
            Assert.Contains($"length of {length}", e.Message);
            Assert.Contains("multiple of 4", e.Message);
        }
    }

    [Theory]
    [InlineData(1, 1), InlineData(1, 3), InlineData(3, 1), InlineData(4, 2)]
    public void AnyDepth(int levels, int layers)
    {
        using var scope = NewDisposeScope();
        var net = new UNet1D(Small with { BlockOutChannels = [.. Enumerable.Range(1, levels).Select(i => 8 * i)], LayersPerBlock = layers });
        Assert.Equal([2, 1, 24], net.call(randn(2, 1, 24), rand(2), Condition.None).shape);
        Assert.Equal(levels * layers + 2 + levels * (layers + 1), net.state_dict().Keys.Count(k => k.EndsWith("conv1.weight", StringComparison.Ordinal)));
    }

    [Fact]
    public void DropoutActsInTrainingOnly()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        manual_seed(4);
        var net = new UNet1D(Small with { Dropout = 0.5 });
        var (x, noise) = (randn(2, 1, 16), rand(2));
        Tensor Out() => net.call(x, noise, Condition.None);
        net.train();
        Assert.False(Out().equal(Out()).all().item<bool>());
        net.eval();
        Assert.True(Out().equal(Out()).all().item<bool>());
    }

    [Fact]
    public void OverfitsABatchOfSines()
    {
        using var outer = NewDisposeScope();
        manual_seed(2);
        var phase = linspace(0, 2 * Math.PI, 9)[..8].unsqueeze(1);
        var clean = (linspace(0, 4 * Math.PI, 33)[..32] + phase).sin().unsqueeze(1);
        var noise = randn(8, 1, 32);
        var noisy = clean + noise;
        var level = zeros(8);
        var net = new UNet1D(Small with { BlockOutChannels = [16, 32] }, zeroOutput: true);
        using var optimizer = optim.Adam(net.parameters(), 3e-3);
        double loss = double.NaN;
        for (int step = 0; step < 200; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var error = (net.call(noisy, level, Condition.None) - noise).square().mean();
            error.backward();
            optimizer.step();
            loss = error.item<float>();
        }
        Assert.True(loss < 0.02, $"{loss}");
    }
}
