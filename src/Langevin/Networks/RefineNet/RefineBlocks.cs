using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Langevin.Networks.Layers.Conv2d;

namespace Langevin.Networks.RefineNet;

/// <summary>Instance norm that keeps what the means of the channels say beside each other: γ (x̂ + α m̂) + β (Song and Ermon 2019, appendix A).</summary>
internal sealed class PlusNorm : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-5;
    private readonly Parameter alpha, gamma, beta;

    public PlusNorm(long channels) : base(nameof(PlusNorm))
    {
        (alpha, gamma, beta) = (nn.Parameter(randn(channels) * 0.02 + 1), nn.Parameter(randn(channels) * 0.02 + 1), nn.Parameter(zeros(channels)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor Each(Tensor channels) => channels.view(1, -1, 1, 1);
        var means = x.mean([2L, 3], keepdim: true);
        var centred = x - means;
        var normed = centred / (centred.square().mean([2L, 3], keepdim: true) + Epsilon).sqrt();
        var between = means - means.mean([1L], keepdim: true);
        // Unbiased over the channels, as the reference has it.
        var spread = between.square().sum([1L], keepdim: true) / (means.size(1) - 1);
        return (Each(gamma) * (normed + Each(alpha) * between / (spread + Epsilon).sqrt()) + Each(beta)).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution and the mean of every 2 × 2 of its pixels.</summary>
internal sealed class ConvMeanPool : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly bool pads;

    public ConvMeanPool(long inputs, long outputs, long kernel, bool pads) : base(nameof(ConvMeanPool))
    {
        this.pads = pads;
        conv = new(inputs, outputs, kernel, padding: kernel / 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return nn.functional.avg_pool2d(conv.call(pads ? nn.functional.pad(x, [1, 0, 1, 0]) : x), 2).MoveToOuterDisposeScope();
    }
}

/// <summary>shortcut(x) + conv(act(norm(conv(act(norm x))))), which halves, or dilates in its place.</summary>
internal sealed class RefineResidual : nn.Module<Tensor, Tensor>
{
    private readonly PlusNorm normalize1, normalize2;
    private readonly nn.Module<Tensor, Tensor> conv1, conv2;
    private readonly nn.Module<Tensor, Tensor>? shortcut;
    private readonly Func<Tensor, Tensor> act;

    public RefineResidual(long inputs, long outputs, bool down, int dilation, Func<Tensor, Tensor> act, bool pads) : base(nameof(RefineResidual))
    {
        this.act = act;
        Conv2d Plain(long from, long to) => new(from, to, 3, padding: Math.Max(1, dilation), dilation: Math.Max(1, dilation));
        long middle = down ? inputs : outputs;
        normalize1 = new(inputs);
        conv1 = Plain(inputs, middle);
        normalize2 = new(middle);
        bool pools = down && dilation == 0;
        conv2 = pools ? new ConvMeanPool(middle, outputs, 3, pads) : Plain(middle, outputs);
        if (down || inputs != outputs) shortcut = pools ? new ConvMeanPool(inputs, outputs, 1, pads) : dilation > 0 ? Plain(inputs, outputs) : new Conv2d(inputs, outputs, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = conv2.call(act(normalize2.call(conv1.call(act(normalize1.call(x))))));
        return ((shortcut?.call(x) ?? x) + h).MoveToOuterDisposeScope();
    }
}

/// <summary>Adapts its inputs, sums them at the size of the first, pools them in a chain and refines the result (Lin et al. 2017).</summary>
internal sealed class RefineBlock : nn.Module
{
    private readonly Layers.ModuleList<ResidualUnits> adapt_convs = new();
    private readonly ResidualUnits output_convs;
    private readonly Fusion? msf;
    private readonly ChainedPool crp;

    public RefineBlock(IReadOnlyList<int> inputs, int outputs, Func<Tensor, Tensor> act, bool last) : base(nameof(RefineBlock))
    {
        foreach (int width in inputs) adapt_convs.Add(new(width, 2, act));
        if (inputs.Count > 1) msf = new(inputs, outputs);
        crp = new(outputs, act);
        output_convs = new(outputs, last ? 3 : 1, act);
        RegisterComponents();
    }

    public Tensor Run(IReadOnlyList<Tensor> inputs)
    {
        using var scope = NewDisposeScope();
        Tensor[] adapted = [.. inputs.Select((x, i) => adapt_convs[i].call(x))];
        var h = msf is null ? adapted[0] : msf.Run(adapted, inputs[0].size(2), inputs[0].size(3));
        return output_convs.call(crp.call(h)).MoveToOuterDisposeScope();
    }

    /// <summary>x + conv(act(conv(act x))), several times over.</summary>
    private sealed class ResidualUnits : nn.Module<Tensor, Tensor>
    {
        private readonly List<(Conv2d First, Conv2d Second)> units = [];
        private readonly Func<Tensor, Tensor> act;

        public ResidualUnits(int width, int count, Func<Tensor, Tensor> act) : base(nameof(ResidualUnits))
        {
            this.act = act;
            for (int i = 1; i <= count; i++)
            {
                var unit = (new Conv2d(width, width, 3, padding: 1, bias: false), new Conv2d(width, width, 3, padding: 1, bias: false));
                register_module($"{i}_1_conv", unit.Item1);
                register_module($"{i}_2_conv", unit.Item2);
                units.Add(unit);
            }
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            foreach (var (first, second) in units) x = x + second.call(act(first.call(act(x))));
            return x.MoveToOuterDisposeScope();
        }
    }

    /// <summary>The sum of convolutions, each brought to one size.</summary>
    private sealed class Fusion : nn.Module
    {
        private readonly Layers.ModuleList<Conv2d> convs = new();

        public Fusion(IReadOnlyList<int> inputs, int outputs) : base(nameof(Fusion))
        {
            foreach (int width in inputs) convs.Add(new(width, outputs, 3, padding: 1));
            RegisterComponents();
        }

        public Tensor Run(IReadOnlyList<Tensor> inputs, long height, long width) => inputs
            .Select((x, i) => nn.functional.interpolate(convs[i].call(x), size: [height, width], mode: InterpolationMode.Bilinear, align_corners: true)).Aggregate((a, b) => a + b);
    }

    /// <summary>act(x), with twice the convolved largest of 5 × 5 neighbours added.</summary>
    private sealed class ChainedPool : nn.Module<Tensor, Tensor>
    {
        private readonly Layers.ModuleList<Conv2d> convs = new();
        private readonly Func<Tensor, Tensor> act;

        public ChainedPool(int width, Func<Tensor, Tensor> act) : base(nameof(ChainedPool))
        {
            this.act = act;
            for (int i = 0; i < 2; i++) convs.Add(new(width, width, 3, padding: 1, bias: false));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var sum = act(x);
            var path = sum;
            foreach (var conv in convs)
            {
                path = conv.call(nn.functional.max_pool2d(path, [5, 5], [1, 1], [2, 2]));
                sum = sum + path;
            }
            return sum.MoveToOuterDisposeScope();
        }
    }
}
