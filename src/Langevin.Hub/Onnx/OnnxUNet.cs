using Langevin.Networks;

namespace Langevin.Hub.Onnx;

/// <summary>What the blocks of a U-Net need to know of its configuration.</summary>
internal sealed partial record OnnxUNet(OnnxGraph Graph, string Activation, int? Groups, double Epsilon, bool ScaleShift, int Dimensions = 2)
{
    private long GroupsOf(long channels) => Groups ?? Math.Min(channels / 4, 32);

    /// <summary>The graph of a U-Net over pictures.</summary>
    public static void Build(OnnxGraph g, UNet2DConfig c)
    {
        if (c.DownBlockTypes.Concat(c.UpBlockTypes).Any(t => t.Contains("Skip", StringComparison.Ordinal)) || c.ClassEmbedType is not null || c.TimeEmbeddingType == "learned"
            || (c.DownBlockTypes.Concat(c.UpBlockTypes).Any(t => t.Contains("Attn", StringComparison.Ordinal)) && (c.DownsampleType == "resnet" || c.UpsampleType == "resnet")))
            throw new NotSupportedException("A U-Net with skipped images, a learned table of steps or another embedding of classes than a table has no ONNX form here.");
        var u = new OnnxUNet(g, c.ActFn, c.NormNumGroups, c.NormEps, c.ResnetTimeScaleShift == "scale_shift");
        string x = g.Input("x", false, ("N", -1), ("C", c.InChannels), ("H", -1), ("W", -1)), noise = g.Input("noise", false, ("N", -1));
        bool fourier = c.TimeEmbeddingType == "fourier";
        string features;
        if (fourier)
        {
            string angle = g.Op("Mul", g.Op("Unsqueeze", g.Op("Log", noise), g.Whole(1)), g.Weight("time_proj.weight", w => w.unsqueeze(0) * (2 * Math.PI), exact: true));
            features = g.Add("Concat", [g.Op("Sin", angle), g.Op("Cos", angle)], ("axis", 1L));
        }
        else features = g.Sinusoidal(noise, c.BlockOutChannels[0], c.FreqShift, c.FlipSinToCos);
        string e = g.Linear(g.SiLU(g.Linear(features, "time_embedding.linear_1")), "time_embedding.linear_2");
        if (g.Has("class_embedding.weight")) e = g.Op("Add", e, g.Rows("class_embedding.weight", g.Input("label", true, ("N", -1))));
        e = g.Act(e, c.ActFn);
        string image = c.CenterInputSample ? g.Op("Sub", g.Op("Mul", x, g.Constant(2)), g.Constant(1)) : x;
        string Attend(string h, string name, int level) => u.Self(h, name, c.BlockOutChannels[level] / (c.AttentionHeadDim ?? c.BlockOutChannels[level]));
        string y = u.Walk(image, e, c.BlockOutChannels.Count, c.DownsamplePadding, Attend, c.MidBlockScaleFactor);
        if (fourier) y = g.Op("Div", y, g.Op("Reshape", noise, g.Whole(-1, 1, 1, 1)));
        g.Output(y, ("N", -1), ("C", c.OutChannels), ("H", -1), ("W", -1));
    }

    /// <summary>The graph of a U-Net that attends to tokens.</summary>
    public static void Build(OnnxGraph g, UNet2DConditionConfig c)
    {
        var u = new OnnxUNet(g, c.ActFn, c.NormNumGroups, c.NormEps, false);
        string x = g.Input("x", false, ("N", -1), ("C", c.InChannels), ("H", -1), ("W", -1)), noise = g.Input("noise", false, ("N", -1));
        string context = g.Input(UNet2DCondition.ContextSlot, false, ("N", -1), ("L", -1), ("D", c.CrossAttentionDim));
        string Sines(string numbers, long width) => g.Sinusoidal(numbers, width, c.FreqShift, c.FlipSinToCos);
        string e = g.Linear(g.Act(g.Linear(Sines(noise, c.BlockOutChannels[0]), "time_embedding.linear_1"), c.ActFn), "time_embedding.linear_2");
        if (g.Has("class_embedding.weight")) e = g.Op("Add", e, g.Rows("class_embedding.weight", g.Input("label", true, ("N", -1))));
        if (c.AdditionEmbedType is not null)
        {
            int features = c.AdditionTimeEmbedDim!.Value;
            string numbers = g.Input(UNet2DCondition.NumbersSlot, false, ("N", -1), ("K", -1)), text = g.Input(UNet2DCondition.TextVectorSlot, false, ("N", -1), ("T", -1));
            // As many numbers as the layer has room for beside the text.
            string sines = g.Op("Reshape", Sines(g.Op("Reshape", numbers, g.Whole(-1)), features), g.Add("Concat", [g.Slice(g.Op("Shape", x), 0, 1, 0), g.Whole(-1)], ("axis", 0L)));
            e = g.Op("Add", e, g.Linear(g.Act(g.Linear(g.Add("Concat", [text, sines], ("axis", 1L)), "add_embedding.linear_1"), c.ActFn), "add_embedding.linear_2"));
        }
        e = g.Act(e, c.ActFn);
        string image = c.CenterInputSample ? g.Op("Sub", g.Op("Mul", x, g.Constant(2)), g.Constant(1)) : x;
        string Attend(string h, string name, int level) => u.Cross(h, context, name, c.AttentionHeadDim is { } h1 ? h1[Math.Min(level, h1.Count - 1)] : 8);
        g.Output(u.Walk(image, e, c.BlockOutChannels.Count, c.DownsamplePadding, Attend, 1), ("N", -1), ("C", c.OutChannels), ("H", -1), ("W", -1));
    }

    // Down, through the middle and up; what there is at each place is told by the weights.
    private string Walk(string image, string e, int levels, int padding, Func<string, string, int, string> attend, double middle)
    {
        var g = Graph;
        string h = g.Conv(image, "conv_in");
        var states = new Stack<string>([h]);
        for (int i = 0; i < levels; i++)
        {
            string block = $"down_blocks.{i}";
            for (int k = 0; g.Has($"{block}.resnets.{k}.conv1.weight"); k++)
            {
                h = Resnet(h, e, $"{block}.resnets.{k}");
                if (g.Has($"{block}.attentions.{k}.{Mark(block, k)}")) h = attend(h, $"{block}.attentions.{k}", i);
                states.Push(h);
            }
            if (g.Has($"{block}.downsamplers.0.conv.weight")) states.Push(h = g.Conv(h, $"{block}.downsamplers.0.conv", 2, farOnly: padding == 0));
            else if (g.Has($"{block}.downsamplers.0.conv1.weight")) states.Push(h = Resnet(h, e, $"{block}.downsamplers.0", down: true));
        }
        if (g.Has("mid_block.resnets.0.conv1.weight"))
        {
            h = Resnet(h, e, "mid_block.resnets.0", scale: middle);
            if (g.Has("mid_block.attentions.0." + Mark("mid_block", 0))) h = Scaled(attend(h, "mid_block.attentions.0", levels - 1), middle);
            h = Resnet(h, e, "mid_block.resnets.1", scale: middle);
        }
        for (int i = 0; i < levels; i++)
        {
            string block = $"up_blocks.{i}";
            for (int k = 0; g.Has($"{block}.resnets.{k}.conv1.weight"); k++)
            {
                h = Resnet(g.Add("Concat", [h, states.Pop()], ("axis", 1L)), e, $"{block}.resnets.{k}");
                if (g.Has($"{block}.attentions.{k}.{Mark(block, k)}")) h = attend(h, $"{block}.attentions.{k}", levels - 1 - i);
            }
            if (g.Has($"{block}.upsamplers.0.conv.weight")) h = g.Conv(Twice(h), $"{block}.upsamplers.0.conv");
            else if (g.Has($"{block}.upsamplers.0.conv1.weight")) h = Resnet(h, e, $"{block}.upsamplers.0", up: true);
        }
        return g.Conv(g.Act(g.GroupNorm(h, "conv_norm_out", GroupsOf(g.Shape("conv_norm_out.weight")[0]), Epsilon), Activation), "conv_out");
    }

    private string Mark(string block, int k) => Graph.Has($"{block}.attentions.{k}.to_q.weight") ? "to_q.weight" : "proj_in.weight";

    private string Scaled(string x, double scale) => scale == 1 ? x : Graph.Op("Div", x, Graph.Constant(scale));

    private string Twice(string x) => Graph.Add("Resize", [x, "", Graph.Numbers([1, 1, .. Enumerable.Repeat(2.0, Dimensions)], 2 + Dimensions)], ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    private string Half(string x) => Graph.Add("AveragePool", [x], ("kernel_shape", new long[] { 2, 2 }), ("strides", new long[] { 2, 2 }));

    private string Resnet(string x, string e, string name, double scale = 1, bool up = false, bool down = false)
    {
        var g = Graph;
        string h = g.Act(g.GroupNorm(x, name + ".norm1", GroupsOf(g.Shape(name + ".norm1.weight")[0]), Epsilon, Dimensions), Activation);
        if (up) (x, h) = (Twice(x), Twice(h));
        if (down) (x, h) = (Half(x), Half(h));
        h = g.Conv(h, name + ".conv1");
        long channels = g.Shape(name + ".norm2.weight")[0];
        string shift = g.Op("Unsqueeze", g.Linear(e, name + ".time_emb_proj"), Dimensions == 2 ? g.Whole(2, 3) : g.Whole(2));
        if (!ScaleShift) h = g.Op("Add", h, shift);
        h = g.GroupNorm(h, name + ".norm2", GroupsOf(channels), Epsilon, Dimensions);
        if (ScaleShift) h = g.Op("Add", g.Op("Mul", h, g.Op("Add", g.Slice(shift, 0, channels, 1), g.Constant(1))), g.Slice(shift, channels, 2 * channels, 1));
        h = g.Conv(g.Act(h, Activation), name + ".conv2");
        return Scaled(g.Op("Add", h, g.Has(name + ".conv_shortcut.weight") ? g.Conv(x, name + ".conv_shortcut") : x), scale);
    }

    private string ToRows(string x, long channels) => Graph.Add("Transpose", [Graph.Op("Reshape", x, Graph.Whole(0, channels, -1))], ("perm", new long[] { 0, 2, 1 }));

    private string ToImage(string rows, string like) => Graph.Op("Reshape", Graph.Add("Transpose", [rows], ("perm", new long[] { 0, 2, 1 })), Graph.Op("Shape", like));

    private string Self(string x, string name, long heads)
    {
        var g = Graph;
        long channels = g.Shape(name + ".to_q.weight")[0];
        string rows = ToRows(g.Has(name + ".group_norm.weight") ? g.GroupNorm(x, name + ".group_norm", GroupsOf(channels), Epsilon) : x, channels);
        return g.Op("Add", x, ToImage(g.Attention(rows, rows, name, heads), x));
    }

    private string Cross(string x, string context, string name, long heads)
    {
        var g = Graph;
        long channels = g.Shape(name + ".norm.weight")[0];
        bool linear = g.Shape(name + ".proj_in.weight").Length == 2;
        string h = g.GroupNorm(x, name + ".norm", Groups!.Value, 1e-6);
        h = linear ? g.Linear(ToRows(h, channels), name + ".proj_in") : ToRows(g.Conv(h, name + ".proj_in"), channels);
        for (int k = 0; g.Has($"{name}.transformer_blocks.{k}.norm1.weight"); k++)
        {
            string block = $"{name}.transformer_blocks.{k}", first = g.LayerNorm(h, block + ".norm1");
            h = g.Op("Add", h, g.Attention(first, first, block + ".attn1", heads));
            h = g.Op("Add", h, g.Attention(g.LayerNorm(h, block + ".norm2"), context, block + ".attn2", heads));
            string both = g.Linear(g.LayerNorm(h, block + ".norm3"), block + ".ff.net.0.proj");
            long width = g.Shape(block + ".ff.net.0.proj.weight")[0] / 2;
            h = g.Op("Add", h, g.Linear(g.Op("Mul", g.Slice(both, 0, width, 2), g.Gelu(g.Slice(both, width, 2 * width, 2))), block + ".ff.net.2"));
        }
        return g.Op("Add", x, linear ? ToImage(g.Linear(h, name + ".proj_out"), x) : g.Conv(ToImage(h, x), name + ".proj_out"));
    }
}
