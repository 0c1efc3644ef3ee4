using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

public static class UNet2DGoldens
{
    [Golden("networks", "unet2d")]
    internal static void Forward_and_gradient(GoldenCase c)
    {
        using var network = new UNet2D(UNet2DConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        var label = c.Has("io.class_labels") ? Condition.OfLabel(c["io.class_labels"]) : Condition.None;
        foreach (bool last in new[] { false, true })
        {
            network.ChannelsLast = last;
            NetworkGolden.CheckForwardAndGradient(network, c, "io.sample", x => network.call(x, c["io.timestep"], label));
        }
    }
}
