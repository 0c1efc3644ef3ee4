using Langevin.Hub;
using Langevin.Networks;
using Langevin.Networks.Sequences;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public class BridgedStreamsTests
{
    private static readonly BridgedStreamsConfig Small = new() { InChannels = 2, ConditionChannels = 3, Channels = 8, Dilations = [1, 2] };

    private static (BridgedStreams Network, Tensor X, Tensor Noise, Condition Condition) Make(BridgedStreamsConfig config, int length = 40)
    {
        manual_seed(5);
        return (new(config), randn(4, 2, length), rand(4), Condition.None.With(BridgedStreams.Slot, randn(4, 3, length)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_all_it_is_given_and_trains_all_it_has(bool oneStream)
    {
        using var scope = NewDisposeScope();
        var (network, x, noise, condition) = Make(Small with { OneStream = oneStream });
        using var _ = network;
        var y = network.call(x, noise, condition);
        Assert.Equal(x.shape, y.shape);
        Assert.False(y.allclose(network.call(x, noise * 0.5, condition), 1e-4, 1e-5));
        Assert.False(y.allclose(network.call(x, noise, condition.Map((_, v) => v * 1.1)), 1e-4, 1e-5));
        Assert.False(y.allclose(network.call(x * 1.1, noise, condition), 1e-4, 1e-5));
        var index = tensor([2L]);
        Assert.True(y.index_select(0, index).allclose(network.call(x.index_select(0, index), noise.index_select(0, index), condition.Take(index)), 1e-4, 1e-5));
        y.square().mean().backward();
        foreach (var (key, p) in network.named_parameters()) Assert.True(p.grad is { } g && g.abs().max().item<float>() > 0, $"{key} gets no gradient: {p.grad?.abs().max().item<float>()}");
    }

    // Far from the ends a shift of both signals shifts the answer, but for the normalised half, which sees the whole signal: take it out.
    [Fact]
    public void A_block_is_what_its_parts_say()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        manual_seed(6);
        using var block = new HalfNormalisedBlock(8, 2);
        var x = randn(3, 8, 50);
        var w = block.state_dict();
        Tensor Conv(Tensor input, string name, long kernel, long dilation)
        {
            long reach = kernel / 2 * dilation;
            var padded = cat([input.narrow(2, 1, reach).flip(2), input, input.narrow(2, 50 - 1 - reach, reach).flip(2)], 2);
            return nn.functional.conv1d(padded, w[name + ".weight"], w[name + ".bias"], dilation: dilation);
        }
        Tensor Leaky(Tensor v) => maximum(v, 0.2 * v);
        var f = cat([.. new long[] { 3, 5, 9, 15 }.Select((k, i) => Conv(x, $"filters.{i}", k, 2))], 1);
        f = Conv(f, "conv_1", 9, 1);
        var normal = f.narrow(1, 0, 4);
        normal = (normal - normal.mean([2L], keepdim: true)) / (normal.var(2, unbiased: false, keepdim: true) + 1e-5).sqrt();
        f = Leaky(cat([normal, f.narrow(1, 4, 4)], 1));
        Assert.Equal(0, (Leaky(Conv(f, "conv_2", 9, 1)) + x - block.call(x)).abs().max().item<float>(), 1e-5f);
    }

    // With all bridges at zero nothing goes over: x cannot matter.
    [Fact]
    public void Only_bridges_lead_from_stream_to_stream()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (network, x, noise, condition) = Make(Small);
        using var _ = network;
        foreach (var (key, p) in network.named_parameters())
            if (key.StartsWith("bridges.", StringComparison.Ordinal) && key.Contains("conv_out", StringComparison.Ordinal)) p.zero_();
        Assert.True(network.call(x, noise, condition).equal(network.call(x * 3, noise * 0.1, condition)).all().item<bool>());
    }

    [Fact]
    public void Has_a_configuration_file_and_says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        var (network, x, noise, condition) = Make(Small);
        using var _ = network;
        using var again = NetworkConfig.Create(NetworkConfig.ToJson(network));
        Assert.Equal(Small, Assert.IsType<BridgedStreams>(again).Config);
        StateDict.Load(again, network.state_dict());
        Assert.True(again.call(x, noise, condition).equal(network.call(x, noise, condition)).all().item<bool>());
        string Fails(Action act) => Assert.ThrowsAny<ArgumentException>(act).Message;
        Assert.Contains("no slot 'signal'", Fails(() => network.call(x, noise, Condition.None)));
        Assert.Contains("expected [4, 3, 40]", Fails(() => network.call(x, noise, Condition.None.With(BridgedStreams.Slot, x))));
        Assert.Contains("at least 15", Fails(() => network.call(x.narrow(2, 0, 14), noise, condition)));
        Assert.Contains("one a sample", Fails(() => network.call(x, noise.narrow(0, 0, 2), condition)));
        Assert.Contains("multiple of 4", Fails(() => new BridgedStreams(Small with { Channels = 6 })));
    }

    [Fact]
    public void Leaves_no_tensor_behind()
    {
        using var outer = NewDisposeScope();
        var (network, x, noise, condition) = Make(Small);
        using var _ = network;
        long Live()
        {
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            using (var scope = NewDisposeScope())
            using (no_grad()) network.call(x, noise, condition);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
        }
        Live();
        Assert.Equal(0, Live());
    }
}
