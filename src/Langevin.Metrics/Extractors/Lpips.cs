using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Extractors;

/// <summary>
/// LPIPS v0.1 (Zhang et al. 2018, arXiv:1801.03924): the squared difference of unit feature vectors of VGG16 or AlexNet at
/// five depths, weighted by channel, averaged over positions and added up.
/// </summary>
public sealed class Lpips : IDisposable
{
    private const int Depths = 5, SmallestSide = 32;
    private const double Epsilon = 1e-10;
    private readonly ConvolutionalFeatures network;
    private readonly Tensor shift, scale;
    private readonly Tensor[] heads;

    internal Lpips(ConvolutionalFeatures network, IEnumerable<Tensor> heads, string name, string hash, Device device)
    {
        (this.network, Name, Hash) = (network, name, hash);
        network.eval();
        network.to(device);
        this.heads = [.. heads.Select(h => h.to(float32, device, copy: true).DetachFromDisposeScope())];
        // ImageNet's mean and deviation, for values in [−1, 1].
        shift = tensor(new[] { -0.030f, -0.088f, -0.188f }, device: device).view(1, 3, 1, 1).DetachFromDisposeScope();
        scale = tensor(new[] { 0.458f, 0.448f, 0.450f }, device: device).view(1, 3, 1, 1).DetachFromDisposeScope();
    }

    /// <summary>Reads torchvision's VGG16 or AlexNet and the LPIPS heads that belong to it, as PyTorch or safetensors files.</summary>
    /// <exception cref="InvalidDataException">Files of another kind, or heads of the other network.</exception>
    public static Lpips Load(string backbone, string heads, Device? device = null)
    {
        using var body = WeightFile.Open(backbone);
        using var linear = WeightFile.Open(heads);
        return From(body, linear, device);
    }

    /// <summary>The same from files that are open already.</summary>
    public static Lpips From(WeightFile body, WeightFile linear, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(linear);
        var network = (body.Kind, linear.Kind) switch
        {
            (WeightKind.Vgg16, WeightKind.LpipsVgg) => ConvolutionalFeatures.Vgg16(),
            (WeightKind.AlexNet, WeightKind.LpipsAlex) => ConvolutionalFeatures.AlexNet(),
            _ => throw new InvalidDataException($"LPIPS needs VGG16 or AlexNet and its own heads; {body.Path} is {body.Kind}, {linear.Path} is {linear.Kind}"),
        };
        try
        {
            body.LoadInto(network);
            return new(network, Enumerable.Range(0, Depths).Select(i => linear[$"lin{i}.model.1.weight"]),
                $"LPIPS, {body.Description}, {linear.Description}", $"{body.Hash}+{linear.Hash}", device ?? CPU);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The networks behind it.</summary>
    public string Name { get; }

    /// <summary>Hashes of the two weight files.</summary>
    public string Hash { get; }

    /// <summary>Distance of each pair, float32 [N]; 0 for equal images.</summary>
    /// <param name="first">[N, 1 or 3, H, W] in [−1, 1], sides of at least 32 pixels.</param>
    /// <param name="second">[N, 1 or 3, H, W].</param>
    public Tensor Between(Tensor first, Tensor second)
    {
        Require.SameShape(first, second);
        if (first.dim() != 4 || first.size(1) is not (1 or 3) || Math.Min(first.size(2), first.size(3)) < SmallestSide || first.size(0) < 1)
            throw new ArgumentException($"expected images [N, 1 or 3, H, W] with sides of at least {SmallestSide} pixels, got {Require.Shape(first)}", nameof(first));
        return WrappedTensorDisposeScope(() =>
        {
            using var gradients = no_grad();
            IReadOnlyList<Tensor> Maps(Tensor x) => network.Maps((x.to(float32, shift.device).expand(-1, 3, -1, -1) - shift) / scale);
            return Maps(first).Zip(Maps(second), heads).Select(m => ((Unit(m.First) - Unit(m.Second)).square() * m.Third).sum([1]).mean([1, 2]))
                .Aggregate((a, b) => a + b);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        network.Dispose();
        foreach (var tensor in heads.Append(shift).Append(scale)) tensor.Dispose();
    }

    private static Tensor Unit(Tensor x) => x / (x.square().sum(1, keepdim: true).sqrt() + Epsilon);
}
