using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>A small convolutional classifier whose last hidden layer gives the features.</summary>
internal sealed class JudgeNetwork : nn.Module<Tensor, Tensor>
{
    public const int Width = 64;
    private const int Stem = 24, Most = 96;

    private readonly Sequential body;
    private readonly Linear embed;
    private readonly Linear head;

    /// <param name="channels">C of images [N, C, H, W].</param>
    /// <param name="side">The smaller of H and W, at least 8.</param>
    /// <param name="classes">K.</param>
    public JudgeNetwork(long channels, long side, int classes) : base(nameof(JudgeNetwork))
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        long width = Stem;
        void Add(long from, long to, long kernel, long stride) => layers.AddRange(
            [nn.Conv2d(from, to, kernel, stride, kernel / 2, bias: false), nn.BatchNorm2d(to), nn.ReLU(inplace: false)]);
        Add(channels, width, 5, 2);
        for (long s = (side + 1) / 2; s > 7; s = (s + 1) / 2)
        {
            long wider = Math.Min(Most, 2 * width);
            Add(width, wider, 3, 2);
            width = wider;
        }
        Add(width, Most, 3, 1);
        layers.Add(nn.AdaptiveAvgPool2d(2));
        layers.Add(nn.Flatten());
        body = nn.Sequential(layers);
        embed = nn.Linear(4 * Most, Width);
        head = nn.Linear(Width, classes);
        RegisterComponents();
    }

    /// <summary>Draws all weights anew from one seed: He et al. 2015 for kernels and matrices, zero for biases.</summary>
    public JudgeNetwork Seeded(long seed)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var random = new Generator((ulong)seed);
        foreach (var (name, p) in named_parameters())
        {
            if (p.dim() > 1) p.normal_(0, Math.Sqrt(2.0 * p.size(0) / p.numel()), random);
            else if (name.EndsWith("bias", StringComparison.Ordinal)) p.zero_();
        }
        return this;
    }

    public Tensor Features(Tensor x) => embed.call(body.call(x));

    public Tensor Logits(Tensor x) => head.call(nn.functional.relu(Features(x)));

    public override Tensor forward(Tensor x) => Logits(x);
}
