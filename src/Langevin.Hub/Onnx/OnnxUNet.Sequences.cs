using Langevin.Networks;

namespace Langevin.Hub.Onnx;

internal sealed partial record OnnxUNet
{
    /// <summary>The graph of a U-Net over sequences.</summary>
    public static void Build(OnnxGraph g, UNet1DConfig c)
    {
        var u = new OnnxUNet(g, "silu", c.NormNumGroups, 1e-5, ScaleShift: true, Dimensions: 1);
        string x = g.Input("x", false, ("N", -1), ("C", c.InChannels), ("L", -1)), e = g.NoiseClasses(g.Input("noise", false, ("N", -1)), c.BlockOutChannels[0], c.ClassCount);
        string h = g.Conv(x, "conv_in");
        var states = new Stack<string>([h]);
        int levels = c.BlockOutChannels.Count;
        for (int i = 0; i < levels; i++)
        {
            for (int k = 0; k < c.LayersPerBlock; k++) states.Push(h = u.Resnet(h, e, $"down_blocks.{i}.resnets.{k}"));
            if (i < levels - 1) states.Push(h = g.Conv(h, $"down_blocks.{i}.downsample", 2));
        }
        h = u.Resnet(u.Positions(u.Resnet(h, e, "mid_block.resnets.0"), "mid_block.attention", c.AttentionHeadDim), e, "mid_block.resnets.1");
        for (int i = 0; i < levels; i++)
        {
            for (int k = 0; k <= c.LayersPerBlock; k++) h = u.Resnet(g.Add("Concat", [h, states.Pop()], ("axis", 1L)), e, $"up_blocks.{i}.resnets.{k}");
            if (i < levels - 1) h = g.Conv(u.Twice(h), $"up_blocks.{i}.upsample");
        }
        g.Output(g.Conv(g.SiLU(g.GroupNorm(h, "norm_out", c.NormNumGroups, u.Epsilon, 1)), "conv_out"), ("N", -1), ("C", c.OutChannels), ("L", -1));
    }

    // x + out(softmax(q kᵀ/√d) v) over the positions of [N, C, L].
    private string Positions(string x, string name, long width)
    {
        var g = Graph;
        long channels = g.Shape(name + ".to_out.weight")[0], heads = channels / width;
        string all = g.Op("Reshape", g.Conv(g.GroupNorm(x, name + ".norm", Groups!.Value, Epsilon, 1), name + ".to_qkv"), g.Whole(0, 3 * heads, width, -1));
        string Turned(string part) => g.Add("Transpose", [part], ("perm", new long[] { 0, 1, 3, 2 }));
        string q = Turned(g.Slice(all, 0, heads, 1)), k = g.Slice(all, heads, 2 * heads, 1), v = Turned(g.Slice(all, 2 * heads, 3 * heads, 1));
        string shares = g.Add("Softmax", [g.Op("MatMul", g.Op("Mul", q, g.Constant(1 / Math.Sqrt(width))), k)], ("axis", -1L));
        return g.Op("Add", x, g.Conv(g.Op("Reshape", Turned(g.Op("MatMul", shares, v)), g.Whole(0, channels, -1)), name + ".to_out"));
    }
}
