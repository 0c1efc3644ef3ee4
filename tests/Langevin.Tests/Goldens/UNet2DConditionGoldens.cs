using Langevin.Networks;
using Langevin.Tests.Networks;

namespace Langevin.Tests.Goldens;

public static class UNet2DConditionGoldens
{
    [Golden("networks", "unet2d_condition")]
    internal static void Forward_and_gradient(GoldenCase c)
    {
        using var network = new UNet2DCondition(UNet2DConditionConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, c["io.encoder_hidden_states"]);
        if (c.Has("io.encoder_attention_mask")) condition = condition.With(UNet2DCondition.MaskSlot, c["io.encoder_attention_mask"]);
        NetworkGolden.CheckForwardAndGradient(network, c, "io.sample", x => network.call(x, c["io.timestep"], condition));
    }
}
