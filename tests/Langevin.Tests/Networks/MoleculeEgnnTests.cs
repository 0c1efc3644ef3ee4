using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>The symmetries of the molecules' network.</summary>
public class MoleculeEgnnTests
{
    public static TheoryData<MoleculeEgnnConfig> Configs => [
        new MoleculeEgnnConfig { InNodeNf = 5, HiddenNf = 16, NLayers = 2 },
        new MoleculeEgnnConfig { InNodeNf = 5, HiddenNf = 16, NLayers = 2, InvSublayers = 2, SinEmbedding = true, Attention = false, Tanh = false, AggregationMethod = "mean" },
    ];

    private static MoleculeEgnn Network(MoleculeEgnnConfig config)
    {
        manual_seed(3);
        var network = new MoleculeEgnn(config);
        using (no_grad())
            foreach (var (name, parameter) in network.named_parameters())
                if (name.Contains("coord_mlp.4", StringComparison.Ordinal)) parameter.mul_(1000); // begins so small that nothing would move
        network.to(ScalarType.Float64);
        return network;
    }

    [Theory, MemberData(nameof(Configs))]
    public void Turned_mirrored_and_shifted_molecules_move_so_and_their_order_does_not_matter(MoleculeEgnnConfig config)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = Network(config);
        var (h, x) = (randn(2, 6, 5, ScalarType.Float64), randn(2, 6, 3, ScalarType.Float64));
        var (features, places) = network.Run(h, x);
        Assert.True((places - x).abs().max().item<double>() > 1e-3);
        var turn = linalg.qr(randn(3, 3, ScalarType.Float64)).Q;
        if (linalg.det(turn).item<double>() > 0) turn = -turn; // with a reflection
        var shift = randn(1, 1, 3, ScalarType.Float64);
        var (turnedFeatures, turnedPlaces) = network.Run(h, x.matmul(turn) + shift);
        Assert.True((turnedFeatures - features).abs().max().item<double>() < 1e-10);
        Assert.True((turnedPlaces - (places.matmul(turn) + shift)).abs().max().item<double>() < 1e-10);
        var order = tensor(new long[] { 3, 0, 5, 1, 4, 2 });
        var (orderedFeatures, orderedPlaces) = network.Run(h.index_select(1, order), x.index_select(1, order));
        Assert.True((orderedFeatures - features.index_select(1, order)).abs().max().item<double>() < 1e-10);
        Assert.True((orderedPlaces - places.index_select(1, order)).abs().max().item<double>() < 1e-10);
    }

    [Fact]
    public void Empty_places_say_nothing_and_the_mean_stays()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = Network(new() { InNodeNf = 5, HiddenNf = 16, NLayers = 2 });
        var (h, x, time) = (randn(1, 4, 4, ScalarType.Float64), randn(1, 4, 3, ScalarType.Float64), tensor(new[] { 0.3 }));
        var (small, smallMove) = network.Dynamics(h, x, time);
        var mask = tensor(new double[] { 1, 1, 1, 1, 0, 0 }).unsqueeze(0);
        var (padded, paddedMove) = network.Dynamics(cat([h, randn(1, 2, 4, ScalarType.Float64)], 1), cat([x, randn(1, 2, 3, ScalarType.Float64)], 1), time, mask);
        Assert.True((padded.narrow(1, 0, 4) - small).abs().max().item<double>() < 1e-10);
        Assert.True((paddedMove.narrow(1, 0, 4) - smallMove).abs().max().item<double>() < 1e-10);
        Assert.Equal(0, padded.narrow(1, 4, 2).abs().max().item<double>());
        Assert.True(smallMove.mean([1L]).abs().max().item<double>() < 1e-12);
        Assert.True((small - network.Dynamics(h, x, tensor(new[] { 0.8 })).H).abs().max().item<double>() > 1e-6);
        string[] keys = [.. network.state_dict().Keys];
        foreach (string key in (string[])["embedding.weight", "embedding_out.bias", "e_block_1.gcl_0.edge_mlp.2.weight", "e_block_0.gcl_0.att_mlp.0.bias", "e_block_0.gcl_equiv.coord_mlp.4.weight", "e_block_1.gcl_0.node_mlp.0.weight"]) Assert.Contains(key, keys);
        Assert.Equal([16, 34], network.state_dict()["e_block_0.gcl_0.edge_mlp.0.weight"].shape);
        Assert.Throws<ArgumentException>(() => network.Run(randn(1, 4, 4), x));
    }
}
