using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public sealed class ResidualMlpTests
{
    [Fact]
    public void ConfigurationSurvivesJson()
    {
        var config = new ResidualMlpConfig { Dimensions = 5, Hidden = 48, Blocks = 4, ClassCount = 10 };
        Assert.Equal(config, ResidualMlpConfig.Parse(config.ToJson()));
        Assert.Contains("\"_class_name\": \"ResidualMlp\"", config.ToJson());
        Assert.Contains("\"class_count\": 10", config.ToJson());
        Assert.Equal(new ResidualMlpConfig { Hidden = 16 }, ResidualMlpConfig.Parse("""{ "hidden": 16 }"""));
        using var net = new ResidualMlp(config);
        Assert.Equal(config, net.Config);
    }

    [Fact]
    public void UnknownKeyNamesTheNearest()
    {
        var e = Assert.Throws<InvalidDataException>(() => ResidualMlpConfig.Parse("""{ "class_cout": 3 }"""));
        Assert.Contains("'class_cout'", e.Message);
        Assert.Contains("'class_count'", e.Message);
        Assert.Throws<InvalidDataException>(() => ResidualMlpConfig.Parse("""{ "hidden": "wide" }"""));
    }

    [Theory]
    [InlineData("dimensions", 0), InlineData("hidden", 1), InlineData("blocks", 0), InlineData("class_count", -1)]
    public void ValuesOutOfRangeAreNamed(string key, int value)
    {
        var config = ResidualMlpConfig.Parse($$"""{ "{{key}}": {{value}} }""");
        Assert.Contains($"{key} is {value}", Assert.Throws<ArgumentException>(() => new ResidualMlp(config)).Message);
    }

    [Fact]
    public void StateKeys()
    {
        using var net = new ResidualMlp(new() { Hidden = 8, Blocks = 1, ClassCount = 2 });
        Assert.Equal(
            ["blocks.0.linear_1.bias", "blocks.0.linear_1.weight", "blocks.0.linear_2.bias", "blocks.0.linear_2.weight",
             "blocks.0.norm.proj.bias", "blocks.0.norm.proj.weight", "embedding.class_embedding.weight",
             "embedding.time_embedding.linear_1.bias", "embedding.time_embedding.linear_1.weight",
             "embedding.time_embedding.linear_2.bias", "embedding.time_embedding.linear_2.weight",
             "norm_out.proj.bias", "norm_out.proj.weight", "proj_in.bias", "proj_in.weight", "proj_out.bias", "proj_out.weight"],
            net.state_dict().Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// Predicting the noise in x₀ + σ ε: zero costs 1, the best multiple of x coordinate by coordinate costs the mean of
    /// 1 / (1 + σ²/v) over the coordinates' variances v, and the network must beat both.
    /// </summary>
    [Fact]
    public void LearnsToDenoiseTwoMoons()
    {
        using var outer = NewDisposeScope();
        manual_seed(1);
        const double sigma = 0.3;
        var net = new ResidualMlp(new() { Dimensions = 2, Hidden = 64, Blocks = 2 }, zeroOutput: true);
        using var optimizer = optim.Adam(net.parameters(), 2e-3);
        for (int step = 0; step < 300; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            Loss(net, 256, sigma).backward();
            optimizer.step();
        }

        using var still = no_grad();
        double loss = Loss(net, 20_000, sigma).item<float>();
        double linear = Moons(20_000).var(0).reciprocal().mul(sigma * sigma).add(1).reciprocal().mean().item<float>();
        Assert.True(linear < 0.9);
        Assert.True(loss < 0.9 * linear, $"network {loss}, linear {linear}, zero 1");
    }

    private static Tensor Loss(Network net, long n, double sigma)
    {
        var noise = randn(n, 2);
        var x = Moons(n) + sigma * noise;
        return (net.call(x, full(n, Math.Log(sigma) / 4), Condition.None) - noise).square().mean();
    }

    /// <summary>Two interleaved half circles of radius 1, points [n, 2].</summary>
    private static Tensor Moons(long n)
    {
        var angle = rand(n) * Math.PI;
        var upper = stack([angle.cos(), angle.sin()], 1);
        return where(rand(n, 1) < 0.5, upper, tensor(new float[] { 1, 0.5f }) - upper);
    }
}
