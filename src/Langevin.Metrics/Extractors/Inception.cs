using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace Langevin.Metrics.Extractors;

/// <summary>
/// The Inception-v3 (Szegedy et al. 2016, arXiv:1512.00567) that FID is defined by: the 2015-12-05 graph with 1,008 classes,
/// whose average pools leave out the padding and whose last block pools by maximum. Names are pytorch-fid's and torchvision's.
/// </summary>
internal sealed class Inception : Module<Tensor, Tensor>
{
    public const int Width = 2048, Classes = 1008, Side = 299, SpatialChannels = 7;

    private readonly InceptionConv Conv2d_1a_3x3 = new(3, 32, [3, 3], 2), Conv2d_2a_3x3 = new(32, 32, [3, 3]), Conv2d_2b_3x3 = new(32, 64, [3, 3], padding: [1, 1]);
    private readonly InceptionConv Conv2d_3b_1x1 = new(64, 80, [1, 1]), Conv2d_4a_3x3 = new(80, 192, [3, 3]);
    private readonly InceptionA Mixed_5b = new(192, 32), Mixed_5c = new(256, 64), Mixed_5d = new(288, 64);
    private readonly InceptionB Mixed_6a = new(288);
    private readonly InceptionC Mixed_6b = new(768, 128), Mixed_6c = new(768, 160), Mixed_6d = new(768, 160), Mixed_6e = new(768, 192);
    private readonly InceptionD Mixed_7a = new(768);
    private readonly InceptionE Mixed_7b = new(1280, maximum: false), Mixed_7c = new(2048, maximum: true);
    private readonly Linear fc = Linear(Width, Classes);

    public Inception() : base(nameof(Inception)) => RegisterComponents();

    /// <summary>Pooled features [N, 2048] and the first 7 channels of the last 17 × 17 block, [N, 2023], of images [N, 3, 299, 299] in about [−1, 1].</summary>
    public (Tensor Features, Tensor Spatial) Read(Tensor x)
    {
        x = Conv2d_2b_3x3.call(Conv2d_2a_3x3.call(Conv2d_1a_3x3.call(x)));
        x = max_pool2d(x, 3, 2);
        x = Conv2d_4a_3x3.call(Conv2d_3b_1x1.call(x));
        x = max_pool2d(x, 3, 2);
        x = Mixed_5d.call(Mixed_5c.call(Mixed_5b.call(x)));
        x = Mixed_6e.call(Mixed_6d.call(Mixed_6c.call(Mixed_6b.call(Mixed_6a.call(x)))));
        var spatial = x.narrow(1, 0, SpatialChannels).flatten(1);
        x = Mixed_7c.call(Mixed_7b.call(Mixed_7a.call(x)));
        return (x.mean([2, 3]), spatial);
    }

    /// <summary>Class logits of pooled features, [N, 1008]; the original graph adds no bias, and neither do the published scores.</summary>
    public Tensor Logits(Tensor features) => linear(features, fc.weight!);

    public override Tensor forward(Tensor x) => Read(x).Features;
}

/// <summary>Convolution, batch normalisation (ε 0.001), rectifier.</summary>
internal sealed class InceptionConv : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly BatchNorm2d bn;

    public InceptionConv(long from, long to, (long, long) kernel, long stride, (long, long) padding) : base(nameof(InceptionConv))
    {
        conv = Conv2d(from, to, kernel, (stride, stride), padding, (1L, 1L), bias: false);
        bn = BatchNorm2d(to, eps: 0.001);
        RegisterComponents();
    }

    public InceptionConv(long from, long to, long[] kernel, long stride = 1, long[]? padding = null)
        : this(from, to, (kernel[0], kernel[1]), stride, padding is null ? (0, 0) : (padding[0], padding[1])) { }

    public override Tensor forward(Tensor x) => relu(bn.call(conv.call(x)));
}

/// <summary>35 × 35 block.</summary>
internal sealed class InceptionA : Module<Tensor, Tensor>
{
    private readonly InceptionConv branch1x1, branch5x5_1, branch5x5_2, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3, branch_pool;

    public InceptionA(long from, long pool) : base(nameof(InceptionA))
    {
        branch1x1 = new(from, 64, [1, 1]);
        branch5x5_1 = new(from, 48, [1, 1]);
        branch5x5_2 = new(48, 64, [5, 5], padding: [2, 2]);
        branch3x3dbl_1 = new(from, 64, [1, 1]);
        branch3x3dbl_2 = new(64, 96, [3, 3], padding: [1, 1]);
        branch3x3dbl_3 = new(96, 96, [3, 3], padding: [1, 1]);
        branch_pool = new(from, pool, [1, 1]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => cat(
    [
        branch1x1.call(x), branch5x5_2.call(branch5x5_1.call(x)), branch3x3dbl_3.call(branch3x3dbl_2.call(branch3x3dbl_1.call(x))),
        branch_pool.call(Pooled(x)),
    ], 1);

    /// <summary>3 × 3 mean at stride 1 over the pixels inside the image.</summary>
    public static Tensor Pooled(Tensor x) => avg_pool2d(x, [3, 3], [1, 1], [1, 1], false, false);
}

/// <summary>35 × 35 to 17 × 17.</summary>
internal sealed class InceptionB : Module<Tensor, Tensor>
{
    private readonly InceptionConv branch3x3, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3;

    public InceptionB(long from) : base(nameof(InceptionB))
    {
        branch3x3 = new(from, 384, [3, 3], 2);
        branch3x3dbl_1 = new(from, 64, [1, 1]);
        branch3x3dbl_2 = new(64, 96, [3, 3], padding: [1, 1]);
        branch3x3dbl_3 = new(96, 96, [3, 3], 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        cat([branch3x3.call(x), branch3x3dbl_3.call(branch3x3dbl_2.call(branch3x3dbl_1.call(x))), max_pool2d(x, 3, 2)], 1);
}

/// <summary>17 × 17 block of 1 × 7 and 7 × 1 convolutions.</summary>
internal sealed class InceptionC : Module<Tensor, Tensor>
{
    private readonly InceptionConv branch1x1, branch7x7_1, branch7x7_2, branch7x7_3, branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5, branch_pool;

    public InceptionC(long from, long inner) : base(nameof(InceptionC))
    {
        branch1x1 = new(from, 192, [1, 1]);
        branch7x7_1 = new(from, inner, [1, 1]);
        branch7x7_2 = new(inner, inner, [1, 7], padding: [0, 3]);
        branch7x7_3 = new(inner, 192, [7, 1], padding: [3, 0]);
        branch7x7dbl_1 = new(from, inner, [1, 1]);
        branch7x7dbl_2 = new(inner, inner, [7, 1], padding: [3, 0]);
        branch7x7dbl_3 = new(inner, inner, [1, 7], padding: [0, 3]);
        branch7x7dbl_4 = new(inner, inner, [7, 1], padding: [3, 0]);
        branch7x7dbl_5 = new(inner, 192, [1, 7], padding: [0, 3]);
        branch_pool = new(from, 192, [1, 1]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => cat(
    [
        branch1x1.call(x), branch7x7_3.call(branch7x7_2.call(branch7x7_1.call(x))),
        branch7x7dbl_5.call(branch7x7dbl_4.call(branch7x7dbl_3.call(branch7x7dbl_2.call(branch7x7dbl_1.call(x))))),
        branch_pool.call(InceptionA.Pooled(x)),
    ], 1);
}

/// <summary>17 × 17 to 8 × 8.</summary>
internal sealed class InceptionD : Module<Tensor, Tensor>
{
    private readonly InceptionConv branch3x3_1, branch3x3_2, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4;

    public InceptionD(long from) : base(nameof(InceptionD))
    {
        branch3x3_1 = new(from, 192, [1, 1]);
        branch3x3_2 = new(192, 320, [3, 3], 2);
        branch7x7x3_1 = new(from, 192, [1, 1]);
        branch7x7x3_2 = new(192, 192, [1, 7], padding: [0, 3]);
        branch7x7x3_3 = new(192, 192, [7, 1], padding: [3, 0]);
        branch7x7x3_4 = new(192, 192, [3, 3], 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => cat(
    [
        branch3x3_2.call(branch3x3_1.call(x)), branch7x7x3_4.call(branch7x7x3_3.call(branch7x7x3_2.call(branch7x7x3_1.call(x)))),
        max_pool2d(x, 3, 2),
    ], 1);
}

/// <summary>8 × 8 block whose 3 × 3 branches fork into 1 × 3 and 3 × 1.</summary>
internal sealed class InceptionE : Module<Tensor, Tensor>
{
    private readonly InceptionConv branch1x1, branch3x3_1, branch3x3_2a, branch3x3_2b, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3a, branch3x3dbl_3b, branch_pool;
    private readonly bool maximum;

    /// <param name="from">Channels.</param>
    /// <param name="maximum">Pool by the maximum instead of the mean.</param>
    public InceptionE(long from, bool maximum) : base(nameof(InceptionE))
    {
        this.maximum = maximum;
        branch1x1 = new(from, 320, [1, 1]);
        branch3x3_1 = new(from, 384, [1, 1]);
        branch3x3_2a = new(384, 384, [1, 3], padding: [0, 1]);
        branch3x3_2b = new(384, 384, [3, 1], padding: [1, 0]);
        branch3x3dbl_1 = new(from, 448, [1, 1]);
        branch3x3dbl_2 = new(448, 384, [3, 3], padding: [1, 1]);
        branch3x3dbl_3a = new(384, 384, [1, 3], padding: [0, 1]);
        branch3x3dbl_3b = new(384, 384, [3, 1], padding: [1, 0]);
        branch_pool = new(from, 192, [1, 1]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var (fork, twice) = (branch3x3_1.call(x), branch3x3dbl_2.call(branch3x3dbl_1.call(x)));
        return cat(
        [
            branch1x1.call(x), branch3x3_2a.call(fork), branch3x3_2b.call(fork), branch3x3dbl_3a.call(twice), branch3x3dbl_3b.call(twice),
            branch_pool.call(maximum ? max_pool2d(x, 3, 1, 1) : InceptionA.Pooled(x)),
        ], 1);
    }
}
