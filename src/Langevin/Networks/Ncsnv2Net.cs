using Langevin.Networks.Layers;
using Langevin.Networks.RefineNet;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The RefineNet of improved noise-conditional score networks (Song and Ermon 2020, appendix B), whose output is divided by the level's σ,
/// with the structure and state-dict keys of the authors' <c>NCSNv2</c> and <c>NCSNv2Deeper</c>.
/// </summary>
/// <remarks><c>forward(x [N, C, H, W], noise [N], condition)</c> gives the score [N, C, H, W]; the noise level is a whole number, 0 for the largest σ.</remarks>
public sealed class Ncsnv2Net : Network
{
    private readonly Conv2d begin_conv, end_conv;
    private readonly PlusNorm normalizer;
    private readonly Tensor sigmas;
    private readonly List<ModuleList<RefineResidual>> levels = [];
    private readonly List<RefineBlock> refines = [];
    private readonly Func<Tensor, Tensor> act;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Ncsnv2Net(Ncsnv2Config config) : base(nameof(Ncsnv2Net))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        act = config.Nonlinearity switch
        {
            "relu" => x => x.relu(),
            "lrelu" => x => nn.functional.leaky_relu(x, 0.2),
            "swish" => x => x.silu(),
            _ => x => nn.functional.elu(x, 1),
        };
        double ratio = Math.Log(config.SigmaEnd / config.SigmaBegin) / (config.NumClasses - 1);
        sigmas = tensor([.. Enumerable.Range(0, config.NumClasses).Select(i => (float)(config.SigmaBegin * Math.Exp(i * ratio)))]);
        int f = config.Ngf;
        begin_conv = new(config.Channels, f, 3, padding: 1);
        normalizer = new(f);
        end_conv = new(f, config.Channels, 3, padding: 1);

        // Width, and dilation where the level keeps its size by it instead of halving.
        (int Width, int Dilation)[] plan = config.Deeper ? [(f, 0), (2 * f, 0), (2 * f, 0), (4 * f, 2), (4 * f, 4)] : [(f, 0), (2 * f, 0), (2 * f, 2), (2 * f, 4)];
        for (int i = 0; i < plan.Length; i++)
        {
            var (width, dilation) = plan[i];
            bool pads = config is { ImageSize: 28, Deeper: false } && i == 3;
            levels.Add(new(new RefineResidual(plan[Math.Max(i - 1, 0)].Width, width, i > 0, dilation, act, pads), new RefineResidual(width, width, false, dilation, act, false)));
        }
        int[] outputs = config.Deeper ? [4 * f, 2 * f, 2 * f, f, f] : [2 * f, 2 * f, f, f];
        for (int i = 0; i < plan.Length; i++)
        {
            int width = plan[^(i + 1)].Width;
            refines.Add(new(i == 0 ? [width] : [width, outputs[i - 1]], outputs[i], act, last: i == plan.Length - 1));
        }
        register_buffer(nameof(sigmas), sigmas);
        RegisterComponents();
        for (int i = 0; i < plan.Length; i++)
        {
            register_module($"res{i + 1}", levels[i]);
            register_module($"refine{i + 1}", refines[i]);
        }
    }

    /// <summary>The shape of the network.</summary>
    public Ncsnv2Config Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or there is no such level.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.Channels, 2, nameof(Ncsnv2Net));
        Check.Noise(noise, x, nameof(Ncsnv2Net));
        using var scope = NewDisposeScope();
        var level = Check.Index(noise.to(ScalarType.Int64), Config.NumClasses, "level", nameof(Ncsnv2Net));
        var h = begin_conv.call(Config.Rescaled ? x : 2 * x - 1);
        var states = new Stack<Tensor>();
        foreach (var pair in levels) states.Push(h = pair[1].call(pair[0].call(h)));
        var refined = refines[0].Run([states.Pop()]);
        foreach (var refine in refines.Skip(1)) refined = refine.Run([states.Pop(), refined]);
        var score = end_conv.call(act(normalizer.call(refined)));
        return (score / sigmas.index_select(0, level).to(x.dtype).view(-1, 1, 1, 1)).MoveToOuterDisposeScope();
    }
}
