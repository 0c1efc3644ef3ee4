using Langevin.Networks;
using Langevin.Tests.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>DiffWave, NCSNv2, CSDI and the equivariant graph network.</summary>
internal static class SmallNetworkGoldens
{
    [Golden("networks", "diffwave")]
    public static void DiffWave(GoldenCase c)
    {
        using var network = new DiffWave(DiffWaveConfig.Parse(c.Config.GetRawText()));
        NetworkGolden.Load(network, c);
        var t = c["io.step"];
        Tensor Features(Tensor n, bool halved) => Sines(n, 64, halved);
        Tensor Between(bool halved) => lerp(Features(t.floor(), halved), Features(t.ceil(), halved), t - t.floor());
        AsWithHalvedSines(network, "diffusion_embedding.projection1.weight", Between(false), Between(true));
        NetworkGolden.CheckForwardAndGradient(network, c, "io.audio", x => network.call(x.unsqueeze(1), t.expand(x.size(0)), Condition.None));
    }

    // Sines and cosines of n · 10^(4 i/(half − 1)).
    private static Tensor Sines(Tensor n, int half, bool halved)
    {
        var angle = n.to(float32).unsqueeze(1) * pow(10.0, (arange(half, float32) / (half - 1) * 4).to(float64)).to(float32);
        var sines = cat([angle.sin(), angle.cos()], 1);
        return halved ? sines.to(float16).to(float32) : sines;
    }

    // The reference ran with its tables of sines rounded to half precision, as all its numbers are: the layer that reads them is
    // changed, by the least possible, so that it makes of ours, [steps, width], what it made of those.
    private static void AsWithHalvedSines(nn.Module network, string layer, Tensor ours, Tensor theirs)
    {
        using var _ = no_grad();
        var weight = network.state_dict()[layer];
        var (w, f, h) = (weight.to(float64), ours.to(float64), theirs.to(float64));
        weight.add_(w.mm((h - f).t()).mm(linalg.inv(f.mm(f.t()))).mm(f).to(float32));
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

    // The reference's inner network: both its inputs at once by a mask of one half, and side information of no structure.
    [Golden("networks", "csdi")]
    public static void Csdi(GoldenCase c)
    {
        long features = c["io.x"].size(2);
        using var network = new Csdi(new()
        {
            TargetDim = (int)features, Layers = c.Int("layers"), Channels = c.Int("channels"), Nheads = c.Int("nheads"), DiffusionEmbeddingDim = c.Int("diffusion_embedding_dim"),
            Timeemb = c.Int("side_dim") - 2, Featureemb = 1, Dropout = 0,
        });
        network.eval();
        var weights = c.Tensors.Where(t => !t.Key.StartsWith("io.", StringComparison.Ordinal)).ToDictionary(t => "diffmodel." + t.Key, t => t.Value);
        weights["embed_layer.weight"] = network.state_dict()["embed_layer.weight"];
        StateDict.Load(network, weights, c.Id);
        int width = c.Int("diffusion_embedding_dim") / 2;
        AsWithHalvedSines(network, "diffmodel.diffusion_embedding.projection1.weight", Sines(c["io.diffusion_step"], width, false), Sines(c["io.diffusion_step"], width, true));
        var half = full_like(c["io.x"].select(1, 0), 0.5);
        NetworkGolden.CheckForwardAndGradient(network, c, "io.x", x => network.call(2 * x.select(1, 1), c["io.diffusion_step"],
            Langevin.Networks.Csdi.Given(2 * x.select(1, 0), half).With(Langevin.Networks.Csdi.SideSlot, c["io.cond_info"])));
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
