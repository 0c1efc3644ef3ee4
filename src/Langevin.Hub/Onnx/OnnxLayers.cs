using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub.Onnx;

/// <summary>Layers of networks as ONNX operators; each is given the name under which the network has its weights.</summary>
internal static class OnnxLayers
{
    public static string Op(this OnnxGraph g, string op, params string[] from) => g.Add(op, from);

    /// <summary>x Wᵀ + b.</summary>
    public static string Linear(this OnnxGraph g, string x, string name)
    {
        string y = g.Op("MatMul", x, g.Weight(name + ".weight", w => w.t()));
        return g.Has(name + ".bias") ? g.Op("Add", y, g.Weight(name + ".bias")) : y;
    }

    /// <summary>A convolution; padding is at both ends, or at the far end alone.</summary>
    public static string Conv(this OnnxGraph g, string x, string name, long stride = 1, bool farOnly = false)
    {
        long[] kernel = g.Shape(name + ".weight")[2..];
        long[] pads = [.. kernel.Select(k => farOnly ? 0 : (k - 1) / 2), .. kernel.Select(k => farOnly ? 1 : (k - 1) / 2)];
        string[] from = g.Has(name + ".bias") ? [x, g.Weight(name + ".weight"), g.Weight(name + ".bias")] : [x, g.Weight(name + ".weight")];
        return g.Add("Conv", from, ("kernel_shape", kernel), ("pads", pads), ("strides", kernel.Select(_ => stride).ToArray()));
    }

    /// <summary>Normalises groups of channels of [N, C, ...].</summary>
    public static string GroupNorm(this OnnxGraph g, string x, string name, long groups, double epsilon, int dimensions = 2)
    {
        long channels = g.Shape(name + ".weight")[0];
        long[] wide = [channels, .. Enumerable.Repeat(1L, dimensions)];
        string rows = g.Op("Reshape", x, g.Whole(0, groups, -1));
        string normed = g.Add("InstanceNormalization", [rows, g.Numbers([.. Enumerable.Repeat(1.0, (int)groups)], groups), g.Numbers(new double[groups], groups)], ("epsilon", epsilon));
        string back = g.Op("Reshape", normed, g.Op("Shape", x));
        return g.Op("Add", g.Op("Mul", back, g.Weight(name + ".weight", w => w.view(wide))), g.Weight(name + ".bias", w => w.view(wide)));
    }

    /// <summary>Normalises the last dimension.</summary>
    public static string LayerNorm(this OnnxGraph g, string x, string name, double epsilon = 1e-5) =>
        g.Add("LayerNormalization", [x, g.Weight(name + ".weight"), g.Weight(name + ".bias")], ("axis", -1L), ("epsilon", epsilon));

    public static string SiLU(this OnnxGraph g, string x) => g.Op("Mul", x, g.Op("Sigmoid", x));

    /// <summary>An activation by diffusers' name for it.</summary>
    public static string Act(this OnnxGraph g, string x, string name) => name switch
    {
        "silu" or "swish" => g.SiLU(x),
        "relu" => g.Op("Relu", x),
        "gelu" => g.Gelu(x),
        "mish" => g.Op("Mul", x, g.Op("Tanh", g.Op("Softplus", x))),
        _ => throw new NotSupportedException($"The activation '{name}' has no ONNX form here."),
    };

    public static string Gelu(this OnnxGraph g, string x) =>
        g.Op("Mul", g.Op("Mul", x, g.Constant(0.5)), g.Op("Add", g.Op("Erf", g.Op("Mul", x, g.Constant(Math.Sqrt(0.5)))), g.Constant(1)));

    /// <summary>Part of a dimension.</summary>
    public static string Slice(this OnnxGraph g, string x, long from, long to, long axis) => g.Op("Slice", x, g.Whole(from), g.Whole(to), g.Whole(axis));

    /// <summary>Sines and cosines of numbers [N] at frequencies period^(−i / (width/2 − shift)).</summary>
    public static string Sinusoidal(this OnnxGraph g, string t, long width, double shift = 0, bool cosineFirst = true, double period = 10000)
    {
        if (width % 2 == 1) throw new NotSupportedException("An odd number of features of the noise level has no ONNX form here.");
        long half = width / 2;
        double[] frequencies = [.. Enumerable.Range(0, (int)half).Select(i => Math.Exp(i * -Math.Log(period) / (half - shift)))];
        string angle = g.Op("Mul", g.Op("Unsqueeze", t, g.Whole(1)), g.Numbers(frequencies, 1, half));
        var (cosine, sine) = (g.Op("Cos", angle), g.Op("Sin", angle));
        return g.Add("Concat", cosineFirst ? [cosine, sine] : [sine, cosine], ("axis", 1L));
    }

    /// <summary>silu(e(noise) + class) of the project's own small networks, which read the noise level on two scales.</summary>
    public static string NoiseClasses(this OnnxGraph g, string noise, long features, int classes)
    {
        const double finest = 16, coarsest = 0.1;
        string near = g.Sinusoidal(g.Op("Mul", g.Op("Asinh", noise), g.Constant(finest)), features, period: finest / coarsest), far = g.Sinusoidal(noise, features);
        string e = g.Linear(g.SiLU(g.Linear(g.Add("Concat", [far, near], ("axis", 1L)), "embedding.time_embedding.linear_1")), "embedding.time_embedding.linear_2");
        if (classes > 0) e = g.Op("Add", e, g.Rows("embedding.class_embedding.weight", g.Input("label", true, ("N", -1))));
        return g.SiLU(e);
    }

    /// <summary>Rows of a table for labels, −1 for its last.</summary>
    public static string Rows(this OnnxGraph g, string table, string label)
    {
        string last = g.Whole(g.Shape(table)[0] - 1);
        return g.Op("Gather", g.Weight(table, w => w.contiguous()), g.Op("Where", g.Op("Less", label, g.Whole(0)), last, label));
    }

    /// <summary>softmax(q kᵀ/√d) v of rows [N, L, C], by heads, and the layer after it.</summary>
    public static string Attention(this OnnxGraph g, string x, string tokens, string name, long heads)
    {
        long channels = g.Shape(name + ".to_q.weight")[0], width = channels / heads;
        string Heads(string rows, params long[] order) => g.Add("Transpose", [g.Op("Reshape", rows, g.Whole(0, -1, heads, width))], ("perm", order));
        string q = Heads(g.Linear(x, name + ".to_q"), 0, 2, 1, 3), k = Heads(g.Linear(tokens, name + ".to_k"), 0, 2, 3, 1), v = Heads(g.Linear(tokens, name + ".to_v"), 0, 2, 1, 3);
        string shares = g.Add("Softmax", [g.Op("MatMul", g.Op("Mul", q, g.Constant(1 / Math.Sqrt(width))), k)], ("axis", -1L));
        string mixed = g.Add("Transpose", [g.Op("MatMul", shares, v)], ("perm", new long[] { 0, 2, 1, 3 }));
        return g.Linear(g.Op("Reshape", mixed, g.Whole(0, -1, channels)), name + ".to_out.0");
    }
}
