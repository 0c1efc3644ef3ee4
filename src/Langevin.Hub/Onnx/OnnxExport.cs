using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Hub.Onnx;

/// <summary>Trained networks as ONNX files (opset 17), for runtimes without libtorch.</summary>
/// <remarks>
/// The file's inputs are <c>x</c>, <c>noise</c> [N] and, where the network reads them, <c>label</c> (int64 [N], −1 for none) and the
/// condition's slots by their names; its output is <c>y</c>. Batch, height and width are open.
/// </remarks>
public static class OnnxExport
{
    /// <summary>Writes a network.</summary>
    /// <param name="network">A <see cref="UNet2D"/>, a <see cref="UNet2DCondition"/> or a <see cref="ResidualMlp"/>.</param>
    /// <param name="path">The file.</param>
    /// <param name="weights">How weights are stored.</param>
    /// <exception cref="NotSupportedException">Another network, an option of it that has no form here, or more weights than a file holds.</exception>
    public static void Save(Network network, string path, OnnxWeights weights = OnnxWeights.Single)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var scope = NewDisposeScope();
        var graph = new OnnxGraph(network.state_dict(), weights);
        switch (network)
        {
            case UNet2D n: OnnxUNet.Build(graph, n.Config); break;
            case UNet2DCondition n: OnnxUNet.Build(graph, n.Config); break;
            case ResidualMlp n: Build(graph, n.Config); break;
            default: throw new NotSupportedException($"{network.GetType().Name} has no ONNX form here; UNet2D, UNet2DCondition and ResidualMlp have.");
        }
        graph.Save(path);
    }

    private static void Build(OnnxGraph g, ResidualMlpConfig c)
    {
        const double finest = 16, coarsest = 0.1; // the network's own two scales of the noise level
        string x = g.Input("x", false, ("N", -1), ("D", c.Dimensions)), noise = g.Input("noise", false, ("N", -1));
        string near = g.Sinusoidal(g.Op("Mul", g.Op("Asinh", noise), g.Constant(finest)), c.Hidden, period: finest / coarsest), far = g.Sinusoidal(noise, c.Hidden);
        string e = g.Linear(g.SiLU(g.Linear(g.Add("Concat", [far, near], ("axis", 1L)), "embedding.time_embedding.linear_1")), "embedding.time_embedding.linear_2");
        if (c.ClassCount > 0) e = g.Op("Add", e, g.Rows("embedding.class_embedding.weight", g.Input("label", true, ("N", -1))));
        e = g.SiLU(e);
        string Norm(string h, string name)
        {
            string parts = g.Linear(e, name + ".proj");
            string normed = g.Add("LayerNormalization", [h, g.Numbers([.. Enumerable.Repeat(1.0, c.Hidden)], c.Hidden)], ("axis", -1L), ("epsilon", 1e-5));
            return g.Op("Add", g.Op("Mul", normed, g.Op("Add", g.Slice(parts, 0, c.Hidden, 1), g.Constant(1))), g.Slice(parts, c.Hidden, 2L * c.Hidden, 1));
        }
        string h = g.Linear(x, "proj_in");
        for (int i = 0; i < c.Blocks; i++) h = g.Op("Add", h, g.Linear(g.SiLU(g.Linear(Norm(h, $"blocks.{i}.norm"), $"blocks.{i}.linear_1")), $"blocks.{i}.linear_2"));
        g.Output(g.Linear(g.SiLU(Norm(h, "norm_out")), "proj_out"), ("N", -1), ("D", c.Dimensions));
    }
}
