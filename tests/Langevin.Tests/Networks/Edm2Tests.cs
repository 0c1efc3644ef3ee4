using Langevin.Networks;
using Langevin.Networks.Edm;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>What EDM2's network keeps by construction.</summary>
public class Edm2Tests
{
    private static readonly Edm2UNetConfig Small = new() { ImgResolution = 8, ImgChannels = 2, ModelChannels = 8, ChannelMult = [1, 2], NumBlocks = 1, AttnResolutions = [4], ChannelsPerHead = 8, LabelDim = 3 };

    [Fact]
    public void Magnitudes_stay_about_one()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (a, b) = (randn(8, 64, 8, 8), randn(8, 32, 8, 8));
        void AboutOne(Tensor x, double tolerance) => Assert.Equal(1, x.square().mean().sqrt().item<float>(), tolerance);
        AboutOne(Magnitudes.SiLU(a), 0.02);
        AboutOne(Magnitudes.Sum(a, randn_like(a), 0.3), 0.02);
        AboutOne(Magnitudes.Cat(a, b, 0.5), 0.02);
        AboutOne(Magnitudes.Normalise(7 * a, 1), 1e-3);
        using var layer = new MagnitudeConv(64, 64, 3, 3);
        AboutOne(layer.Run(a), 0.1); // zeros beyond the border take a little
        using var fourier = new MagnitudeFourier(256);
        AboutOne(fourier.call(randn(64)), 0.05);
    }

    [Fact]
    public void Training_normalises_weights_in_place_and_evaluation_leaves_them()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var network = new Edm2UNet(Small);
        var weight = network.named_parameters().Single(p => p.name == "out_conv.weight").parameter;
        using (no_grad()) weight.mul_(5);
        var labels = Condition.OfLabel(tensor(new long[] { 0, -1 }));
        network.eval();
        Assert.Equal(0, network.call(randn(2, 2, 8, 8), zeros(2), labels).abs().max().item<float>()); // its gain begins at zero
        Assert.Equal(5, weight.square().mean().sqrt().item<float>(), 1.0);
        network.train();
        network.call(randn(2, 2, 8, 8), zeros(2), labels);
        Assert.Equal(1, weight.square().mean().sqrt().item<float>(), 1e-2);
        var other = Edm2UNetConfig.Parse(Small.ToJson());
        Assert.Equal(Small, other);
        Assert.Throws<ArgumentException>(() => new Edm2UNet(Small with { ChannelsPerHead = 7 }));
        Assert.Throws<ArgumentException>(() => network.call(randn(2, 2, 7, 8), zeros(2), labels));
    }
}
