using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

public class StateDictTests
{
    [Fact]
    public void Weights_go_from_one_network_to_another()
    {
        using var scope = NewDisposeScope();
        using var from = new UNet2D(NetworkContractTests.Small);
        using var to = new UNet2D(NetworkContractTests.Small);
        StateDict.Load(to, from.state_dict());
        var x = randn(1, 2, 8, 8);
        var label = Condition.OfLabel(tensor([1L]));
        Assert.Equal(from.call(x, tensor([5L]), label), to.call(x, tensor([5L]), label));
    }

    [Fact]
    public void All_that_is_wrong_stands_in_one_message_and_nothing_is_copied()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(NetworkContractTests.Small);
        var before = network.state_dict().ToDictionary(w => w.Key, w => w.Value.detach().clone());
        var weights = before.ToDictionary(w => w.Key, w => w.Value + 1);
        weights.Remove("conv_in.bias");
        weights["conv_extra.bias"] = ones(1);
        weights["conv_norm_out.weight"] = ones(1);
        string message = Assert.Throws<InvalidDataException>(() => StateDict.Load(network, weights, "a.safetensors")).Message;
        Assert.Contains("missing (1): conv_in.bias [16]", message);
        Assert.Contains("unexpected (1): conv_extra.bias", message);
        Assert.Contains("wrongly shaped (1): conv_norm_out.weight is [1], expected [16]", message);
        Assert.StartsWith("a.safetensors", message);
        Assert.All(network.state_dict(), w => Assert.True(w.Value.equal(before[w.Key]).all().item<bool>()));
    }

    [Fact]
    public void Either_name_of_the_Gaussian_frequencies_will_do()
    {
        using var scope = NewDisposeScope();
        var config = NetworkContractTests.Small with { TimeEmbeddingType = "fourier" };
        using var from = new UNet2D(config);
        using var to = new UNet2D(config);
        StateDict.Load(to, from.state_dict().Where(w => w.Key != "time_proj.W").ToDictionary(w => w.Key, w => w.Value));
        Assert.Equal(from.state_dict()["time_proj.weight"], to.state_dict()["time_proj.W"]);
        Assert.Throws<InvalidDataException>(() => StateDict.Load(to, from.state_dict().Where(w => !w.Key.StartsWith("time_proj")).ToDictionary(w => w.Key, w => w.Value)));
    }
}
