using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Langevin.Metrics.Extractors;

/// <summary>The convolutions of torchvision's VGG16 or AlexNet, read after five of their rectifiers.</summary>
internal sealed class ConvolutionalFeatures : Module<Tensor, Tensor>
{
    private readonly Sequential features;
    private readonly (Conv2d? Convolution, bool Read)[] steps;
    private readonly Func<Tensor, Tensor> pool;

    /// <summary>The layers in order: a convolution with its rectifier (and whether it is read), or a pool.</summary>
    private ConvolutionalFeatures(string name, Func<Tensor, Tensor> pool, params (Conv2d? Convolution, bool Read)[] steps) : base(name)
    {
        (this.steps, this.pool) = (steps, pool);
        var named = new List<(string, Module<Tensor, Tensor>)>();
        int index = 0;
        foreach (var (convolution, _) in steps)
        {
            if (convolution is not null) named.Add(($"{index}", convolution));
            index += convolution is null ? 1 : 2;
        }
        features = Sequential(named);
        RegisterComponents();
    }

    /// <summary>VGG16 (Simonyan and Zisserman 2015, arXiv:1409.1556), read at relu1_2, 2_2, 3_3, 4_3 and 5_3.</summary>
    /// <param name="pool">Halves the sides; the maximum when null.</param>
    public static ConvolutionalFeatures Vgg16(Func<Tensor, Tensor>? pool = null)
    {
        var steps = new List<(Conv2d?, bool)>();
        long from = 3;
        foreach (var (width, depth) in ((long, int)[])[(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)])
        {
            if (steps.Count > 0) steps.Add((null, false));
            for (int i = 1; i <= depth; i++, from = width) steps.Add((Conv2d(from, width, 3, padding: 1), i == depth));
        }
        return new("VGG16", pool ?? (x => functional.max_pool2d(x, 2, 2)), [.. steps]);
    }

    /// <summary>AlexNet (Krizhevsky 2014, arXiv:1404.5997), read after each of its five rectifiers.</summary>
    public static ConvolutionalFeatures AlexNet() => new("AlexNet", x => functional.max_pool2d(x, 3, 2),
        (Conv2d(3, 64, 11, stride: 4, padding: 2), true), (null, false), (Conv2d(64, 192, 5, padding: 2), true), (null, false),
        (Conv2d(192, 384, 3, padding: 1), true), (Conv2d(384, 256, 3, padding: 1), true), (Conv2d(256, 256, 3, padding: 1), true));

    /// <summary>The five feature maps of images scaled as the network was trained.</summary>
    public IReadOnlyList<Tensor> Maps(Tensor x)
    {
        var maps = new List<Tensor>();
        foreach (var (convolution, read) in steps)
        {
            x = convolution is null ? pool(x) : functional.relu(convolution.call(x));
            if (read) maps.Add(x);
        }
        return maps;
    }

    public override Tensor forward(Tensor x) => Maps(x)[^1];
}
