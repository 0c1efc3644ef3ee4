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
    /// <param name="network">A <see cref="UNet1D"/>, a <see cref="UNet2D"/>, a <see cref="UNet2DCondition"/> or a <see cref="ResidualMlp"/>.</param>
    /// <param name="path">The file.</param>
    /// <param name="weights">How weights are stored.</param>
    /// <param name="largest">Bytes of weights that the file holds itself, at most 2 GiB; where there are more, all but the smallest are put beside it, in a file named like it with <c>.data</c> after.</param>
    /// <exception cref="NotSupportedException">Another network, or an option of it that has no form here.</exception>
    public static void Save(Network network, string path, OnnxWeights weights = OnnxWeights.Single, long largest = 2000L << 20)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var scope = NewDisposeScope();
        var graph = new OnnxGraph(network.state_dict(), weights);
        switch (network)
        {
            case UNet2D n: OnnxUNet.Build(graph, n.Config); break;
            case UNet2DCondition n: OnnxUNet.Build(graph, n.Config); break;
            case UNet1D n: OnnxUNet.Build(graph, n.Config); break;
            case ResidualMlp n: Build(graph, n.Config); break;
            default: throw new NotSupportedException($"{network.GetType().Name} has no ONNX form here; UNet1D, UNet2D, UNet2DCondition and ResidualMlp have.");
        }
        graph.Save(path, largest);
    }

    private static void Build(OnnxGraph g, ResidualMlpConfig c)
    {
        string x = g.Input("x", false, ("N", -1), ("D", c.Dimensions)), e = g.NoiseClasses(g.Input("noise", false, ("N", -1)), c.Hidden, c.ClassCount);
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
