using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>What holds for both small networks.</summary>
public sealed class SmallNetworkTests
{
    private static readonly ResidualMlpConfig Mlp = new() { Dimensions = 3, Hidden = 24, Blocks = 2 };
    private static readonly UNet1DConfig UNet = new() { InChannels = 2, OutChannels = 3, BlockOutChannels = [8, 16, 24], NormNumGroups = 4, AttentionHeadDim = 8 };

    public static TheoryData<string> Names => ["ResidualMlp", "UNet1D"];

    private static Network Create(string name, int classes = 0, bool zeroOutput = false)
    {
        manual_seed(7);
        return name == "UNet1D" ? new UNet1D(UNet with { ClassCount = classes }, zeroOutput) : new ResidualMlp(Mlp with { ClassCount = classes }, zeroOutput);
    }

    private static Tensor Input(string name, long n = 4) => name == "UNet1D" ? randn(n, 2, 16) : randn(n, 3);

    private static Condition Labels(params long[] labels) => Condition.OfLabel(tensor(labels));

    private static bool Same(Tensor a, Tensor b) => a.equal(b).all().item<bool>();

    [Theory, MemberData(nameof(Names))]
    public void OutputHasTheInputsBatchAndSize(string name)
    {
        using var scope = NewDisposeScope();
        var net = Create(name);
        var x = Input(name);
        Assert.Equal(name == "UNet1D" ? [4, 3, 16] : [4, 3], net.call(x, rand(4), Condition.None).shape);
        Assert.Equal(name == "UNet1D" ? [1, 3, 16] : [1, 3], net.call(x[..1], tensor(new long[] { 999 }), Condition.None).shape);
    }

    [Theory, MemberData(nameof(Names))]
    public void EveryParameterReceivesAGradient(string name)
    {
        using var scope = NewDisposeScope();
        var net = Create(name, classes: 3);
        net.call(Input(name), rand(4), Labels(0, 1, 2, -1)).square().mean().backward();
        foreach (var (key, parameter) in net.named_parameters())
            Assert.True(parameter.grad is { } g && g.isfinite().all().item<bool>() && g.abs().max().item<float>() > 0, key);
    }

    [Theory, MemberData(nameof(Names))]
    public void NoClassReadsTheLastRow(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var net = Create(name, classes: 3);
        net.eval();
        var (x, noise) = (Input(name, 1), rand(1));
        Tensor Out(long label) => net.call(x, noise, Labels(label));
        var table = net.state_dict().Single(s => s.Key.EndsWith("class_embedding.weight", StringComparison.Ordinal)).Value;
        Assert.Equal(4, table.shape[0]);

        var (none, first) = (Out(-1), Out(0));
        for (long label = 0; label < 3; label++) Assert.True((Out(label) - none).abs().max().item<float>() > 1e-4);
        table[3].copy_(table[0]);
        Assert.True(Same(first, Out(-1)));
        Assert.True(Same(first, Out(0)));
    }

    [Theory, MemberData(nameof(Names))]
    public void SamplesOfABatchDoNotMix(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var net = Create(name, classes: 3).to(ScalarType.Float64);
        var (x, noise) = (Input(name).to(ScalarType.Float64), rand(4, ScalarType.Float64));
        var all = net.call(x, noise, Labels(0, 1, 2, -1));
        var third = net.call(x[2..3], noise[2..3], Labels(2));
        Assert.Equal(ScalarType.Float64, all.dtype);
        Assert.True((all[2..3] - third).abs().max().item<double>() < 1e-12);
    }

    [Theory, MemberData(nameof(Names))]
    public void SameSeedSameResult(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (a, b) = (Create(name, classes: 2), Create(name, classes: 2));
        var (x, noise) = (Input(name), rand(4));
        Assert.True(Same(a.call(x, noise, Labels(0, 1, -1, 0)), b.call(x, noise, Labels(0, 1, -1, 0))));
    }

    [Theory]
    [InlineData("ResidualMlp", -2.0, 2.0), InlineData("UNet1D", -2.0, 2.0)]
    [InlineData("ResidualMlp", 0.0, 1000.0), InlineData("UNet1D", 0.0, 1000.0)]
    public void NoiseIsToldApartOnEitherScale(string name, double low, double high)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var net = Create(name);
        var x = Input(name, 1);
        var same = x.expand([32, .. x.shape[1..]]).contiguous();
        var y = net.call(same, linspace(low, high, 32), Condition.None).flatten(1);
        var distance = (y.unsqueeze(0) - y.unsqueeze(1)).norm(2) + eye(32) * 1e9;
        Assert.True(distance.min().item<float>() > 1e-3 * y.norm().item<float>() / Math.Sqrt(32), $"{distance.min().item<float>()}");
    }

    [Theory, MemberData(nameof(Names))]
    public void ZeroOutputAnswersZero(string name)
    {
        using var scope = NewDisposeScope();
        var y = Create(name, zeroOutput: true).call(Input(name), rand(4), Condition.None);
        Assert.Equal(0f, y.abs().max().item<float>());
        Assert.True(Create(name).call(Input(name), rand(4), Condition.None).abs().max().item<float>() > 0);
    }

    [Theory, MemberData(nameof(Names))]
    public void NothingIsLeftBehind(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var net = Create(name, classes: 2);
        var (x, noise, condition) = (Input(name), rand(4), Labels(0, 1, -1, 0));
        long before = scope.DisposablesCount;
        for (int i = 0; i < 50; i++) net.call(x, noise, condition).Dispose();
        Assert.Equal(before, scope.DisposablesCount);
    }

    [Theory, MemberData(nameof(Names))]
    public void ArgumentsAreLeftAlone(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var net = Create(name, classes: 2);
        var (x, noise, label) = (Input(name), rand(4), tensor(new long[] { 0, 1, -1, 0 }));
        var (x0, noise0, label0) = (x.clone(), noise.clone(), label.clone());
        net.call(x, noise, Condition.OfLabel(label));
        Assert.True(Same(x, x0) && Same(noise, noise0) && Same(label, label0));
    }

    [Theory, MemberData(nameof(Names))]
    public void WrongArgumentsAreNamed(string name)
    {
        using var scope = NewDisposeScope();
        var (plain, classes) = (Create(name), Create(name, classes: 3));
        var (x, noise) = (Input(name), rand(4));
        string Message(Network net, Tensor x, Tensor noise, Condition condition) =>
            Assert.ThrowsAny<ArgumentException>(() => net.call(x, noise, condition)).Message;

        Assert.Contains("expected [N, ", Message(plain, randn(4, 9), noise, Condition.None));
        Assert.Contains("expected [N, ", Message(plain, randn(4, 5, 16), noise, Condition.None));
        Assert.Contains("expected one a sample: [4]", Message(plain, x, rand(3), Condition.None));
        Assert.Contains("expected one a sample: [4]", Message(plain, x, rand(4, 1), Condition.None));
        Assert.Contains("class_count", Message(plain, x, noise, Labels(0, 1, 2, -1)));
        Assert.Contains("no labels", Message(classes, x, noise, Condition.None));
        Assert.Contains("expected one a sample: [4]", Message(classes, x, noise, Labels(0, 1)));
        Assert.Contains("label 3 is out of range", Message(classes, x, noise, Labels(0, 1, 2, 3)));
        Assert.Contains("label -2 is out of range", Message(classes, x, noise, Labels(0, 1, -2, 2)));
    }
}
