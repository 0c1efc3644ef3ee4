using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>DiffWave, NCSNv2 and the equivariant graph network.</summary>
internal static class SmallNetworkGoldens
{
    [Golden("networks", "diffwave")]
    public static void DiffWave(GoldenCase c)
    {
        using var network = new DiffWave(DiffWaveConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        // The step's angles, of up to 3 · 10⁵ radians in single precision, differ by their last digits from machine to machine.
        NetworkGolden.CheckForwardAndGradient(network, c, "io.audio", x => network.call(x.unsqueeze(1), c["io.step"].expand(x.size(0)), Condition.None), ofLargestGradient: 3e-5);
    }

    [Golden("networks", "ncsnv2")]
    public static void Ncsnv2(GoldenCase c)
    {
        using var network = new Ncsnv2Net(new()
        {
            Channels = c.Int("channels"), ImageSize = c.Int("image_size"), Ngf = c.Int("ngf"), Nonlinearity = c.Text("nonlinearity"), Normalization = c.Text("normalization"),
            NumClasses = c.Int("num_classes"), SigmaBegin = c.Double("sigma_begin"), SigmaEnd = c.Double("sigma_end"), Rescaled = c.Bool("rescaled"), Deeper = c.Text("cls") == "NCSNv2Deeper",
        });
        c.Check("sigmas", network.state_dict()["sigmas"], relative: 1e-3); // recorded in half precision
        NetworkGolden.Load(network, c);
        NetworkGolden.CheckForwardAndGradient(network, c, "io.x", x => network.call(x, c["io.y"], Condition.None));
    }

    [Golden("networks", "egnn")]
    public static void Egnn(GoldenCase c)
    {
        using var network = new Egnn(new()
        {
            InNodeNf = c.Int("in_node_nf"), HiddenNf = c.Int("hidden_nf"), OutNodeNf = c.Int("out_node_nf"), InEdgeNf = c.Int("in_edge_nf"), NLayers = c.Int("n_layers"),
            Residual = c.Bool("residual", true), Attention = c.Bool("attention"), Normalize = c.Bool("normalize"), Tanh = c.Bool("tanh"),
        });
        NetworkGolden.Load(network, c);
        var edges = c.Has("io.edge_attr") ? c["io.edge_attr"] : null;
        var places = c["io.x"].detach().clone().requires_grad_(true);
        var (h, x) = network.Run(c["io.h"], places, c["io.row"], c["io.col"], edges);
        c.Check("io.h_out", h);
        c.Check("io.x_out", x);
        var loss = h.square().mean() + x.square().mean();
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_x", places.grad!);
        c.Check("io.param_grad_norm_total", stack([.. network.parameters().Where(p => p.grad is not null).Select(p => p.grad!.to(float64).square().sum())]).sum().sqrt(), absolute: 1e-6);
    }
}
