using Langevin.Hub;
using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>DiT and PixArt-α with diffusers' keys, and DiT from the original's.</summary>
internal static class TransformerGoldens
{
    [Golden("networks", "dit")]
    public static void Forward_and_gradient(GoldenCase c)
    {
        if (c.Has("io.y")) Original(c);
        else
        {
            using var network = new DiffusionTransformer(DiffusionTransformerConfig.Parse(c.Config.GetRawText()));
            Halved(network);
            NetworkGolden.Load(network, c);
            var condition = c.Has("io.class_labels") ? Condition.OfLabel(c["io.class_labels"]) : Condition.None.With(UNet2DCondition.ContextSlot, c["io.encoder_hidden_states"]);
            NetworkGolden.CheckForwardAndGradient(network, c, "io.hidden_states", x => network.call(x, c["io.timestep"], condition));
        }
    }

    // The reference ran with positions that had been through half precision, which the goldens are kept in.
    private static void Halved(DiffusionTransformer network) => network.Positions.copy_(network.Positions.to(float16));

    private static void Original(GoldenCase c)
    {
        using var network = new DiffusionTransformer(new()
        {
            NumAttentionHeads = c.Int("num_heads"), AttentionHeadDim = c.Int("hidden_size") / c.Int("num_heads"), InChannels = c.Int("in_channels"), NumLayers = c.Int("depth"),
            SampleSize = c.Int("input_size"), PatchSize = c.Int("patch_size"), NumEmbedsAdaNorm = c.Int("num_classes"), NormEps = 1e-6, FreqShift = 0,
        });
        network.eval();
        Halved(network);
        StateDict.Load(network, DitKeys.FromOriginal(c.Tensors.Where(t => !t.Key.StartsWith("io.", StringComparison.Ordinal)).ToDictionary(t => t.Key, t => t.Value)), c.Id);
        var condition = Condition.OfLabel(c["io.y"]);
        var x = c["io.x"].detach().clone().requires_grad_(true);
        var y = network.call(x, c["io.t"], condition);
        c.Check("io.output", y);
        var (twice, t, label) = (x[..1].expand(2, -1, -1, -1), c["io.t"][..1].expand(2), tensor(new[] { 1L, -1L }));
        var both = network.call(twice, t, Condition.OfLabel(label)).chunk(2);
        var guided = both[1] + 3 * (both[0] - both[1]);
        guided = cat([guided, guided]);
        c.Check("io.cfg_output", guided);
        var loss = y.square().mean() + guided.square().mean();
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_x", x.grad!);
    }
}
