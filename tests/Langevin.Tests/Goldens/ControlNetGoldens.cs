using System.Text.Json.Nodes;
using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

internal static class ControlNetGoldens
{
    [Golden("networks", "controlnet")]
    public static void States_and_gradient(GoldenCase c)
    {
        var json = JsonNode.Parse(c.Config.GetRawText())!.AsObject();
        json.Remove("conditioning_scale");
        var config = ControlNetConfig.Parse(json.ToJsonString());
        Assert.Equal(config.ToJson(), ControlNetConfig.Parse(config.ToJson()).ToJson());
        using var network = new ControlNet(config);
        NetworkGolden.Load(network, c);
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, c["io.encoder_hidden_states"]).With(ControlNet.PictureSlot, c["io.controlnet_cond"]);
        var x = c["io.sample"].detach().clone().requires_grad_(true);
        var states = network.Run(x, c["io.timestep"], condition, c.Double("conditioning_scale"));
        Tensor[] all = [.. states.Down, states.Middle];
        for (int i = 0; i < all.Length; i++) c.Check(i < states.Down.Count ? $"io.down_{i}" : "io.mid", all[i]);
        var loss = all.Select(s => s.square().mean()).Aggregate((a, b) => a + b);
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_sample", x.grad!);
        c.Check("io.param_grad_norm_total", stack([.. network.parameters().Where(p => p.grad is not null).Select(p => p.grad!.to(float64).square().sum())]).sum().sqrt(), absolute: 1e-6);
    }
}
