using System.Text.Json.Nodes;
using Langevin.Networks;
using Langevin.Tests.Networks;

namespace Langevin.Tests.Goldens;

/// <summary>guided-diffusion's U-Net, its super-resolution form and its classifier.</summary>
internal static class GuidedNetworkGoldens
{
    [Golden("networks", "guided_unet")]
    public static void Forward_and_gradient(GoldenCase c)
    {
        string kind = c.Text("cls");
        var json = JsonNode.Parse(c.Config.GetRawText())!.AsObject();
        json.Remove("cls");
        var config = GuidedUNetConfig.Parse(json.ToJsonString()) with { SuperResolution = kind == "SuperResModel" };
        using Network network = kind == "EncoderUNetModel" ? new GuidedEncoder(config) : new GuidedUNet(config);
        NetworkGolden.Load(network, c);
        var condition = c.Has("io.y") ? Condition.OfLabel(c["io.y"]) : c.Has("io.low_res") ? Condition.None.With(GuidedUNet.LowResolutionSlot, c["io.low_res"]) : Condition.None;
        NetworkGolden.CheckForwardAndGradient(network, c, "io.x", x => network.call(x, c["io.t"], condition));
    }
}
