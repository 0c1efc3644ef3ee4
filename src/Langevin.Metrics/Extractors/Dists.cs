using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Extractors;

/// <summary>
/// DISTS (Ding et al. 2020, arXiv:2004.07728): similarity of the means (texture) and of the covariance (structure) of the
/// image and of VGG16's feature maps, with Hann-weighted L2 pooling in place of the maximum, and learned weights.
/// </summary>
public sealed class Dists : IDisposable
{
    private const double Stable = 1e-6, PoolStable = 1e-12;
    private static readonly long[] Widths = [3, 64, 128, 256, 512, 512];
    private readonly ConvolutionalFeatures network;
    private readonly Tensor mean, deviation, alpha, beta;

    internal Dists(ConvolutionalFeatures network, Tensor alpha, Tensor beta, string name, string hash, Device device)
    {
        (this.network, Name, Hash) = (network, name, hash);
        long channels = Widths.Sum();
        if (alpha.numel() != channels || beta.numel() != channels) throw new InvalidDataException($"DISTS has {channels} weights of each kind, not {alpha.numel()} and {beta.numel()}");
        network.eval();
        network.to(device);
        using var scope = NewDisposeScope();
        var total = alpha.sum() + beta.sum();
        (this.alpha, this.beta) = ((alpha / total).to(float32, device).view(-1).DetachFromDisposeScope(), (beta / total).to(float32, device).view(-1).DetachFromDisposeScope());
        mean = tensor(new[] { 0.485f, 0.456f, 0.406f }, device: device).view(1, 3, 1, 1).DetachFromDisposeScope();
        deviation = tensor(new[] { 0.229f, 0.224f, 0.225f }, device: device).view(1, 3, 1, 1).DetachFromDisposeScope();
    }

    /// <summary>Reads torchvision's VGG16 and the weights α, β of the authors, as PyTorch or safetensors files.</summary>
    /// <exception cref="InvalidDataException">Files of another kind.</exception>
    public static Dists Load(string vgg16, string weights, Device? device = null)
    {
        using var body = WeightFile.Open(vgg16);
        using var learned = WeightFile.Open(weights);
        return From(body, learned, device);
    }

    /// <summary>The same from files that are open already.</summary>
    public static Dists From(WeightFile body, WeightFile learned, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(learned);
        if ((body.Kind, learned.Kind) is not (WeightKind.Vgg16, WeightKind.Dists))
            throw new InvalidDataException($"DISTS needs VGG16 and its own weights; {body.Path} is {body.Kind}, {learned.Path} is {learned.Kind}");
        var network = Network();
        try
        {
            body.LoadInto(network);
            return new(network, learned["alpha"], learned["beta"], $"DISTS, {body.Description}, {learned.Description}", $"{body.Hash}+{learned.Hash}", device ?? CPU);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>VGG16 with the pooling of the paper.</summary>
    internal static ConvolutionalFeatures Network() => ConvolutionalFeatures.Vgg16(Pooled);

    /// <summary>The networks behind it.</summary>
    public string Name { get; }

    /// <summary>Hashes of the two weight files.</summary>
    public string Hash { get; }

    /// <summary>Distance of each pair, float32 [N]; 0 for equal images.</summary>
    /// <param name="first">[N, 1 or 3, H, W] in [0, 1]. The authors scale the smaller side to 256 pixels first.</param>
    /// <param name="second">[N, 1 or 3, H, W].</param>
    public Tensor Between(Tensor first, Tensor second)
    {
        Require.SameShape(first, second);
        if (first.dim() != 4 || first.size(1) is not (1 or 3) || Math.Min(first.size(2), first.size(3)) < 16 || first.size(0) < 1)
            throw new ArgumentException($"expected images [N, 1 or 3, H, W] with sides of at least 16 pixels, got {Require.Shape(first)}", nameof(first));
        return WrappedTensorDisposeScope(() =>
        {
            using var gradients = no_grad();
            var (x, y) = (Maps(first), Maps(second));
            var similarity = zeros(first.size(0), float32, mean.device);
            long at = 0;
            for (int k = 0; k < x.Count; k++)
            {
                long width = x[k].size(1);
                var (mx, my) = (x[k].mean([2, 3], keepdim: true), y[k].mean([2, 3], keepdim: true));
                var texture = (2 * mx * my + Stable) / (mx.square() + my.square() + Stable);
                var (vx, vy) = ((x[k] - mx).square().mean([2, 3], keepdim: true), (y[k] - my).square().mean([2, 3], keepdim: true));
                var shared = (x[k] * y[k]).mean([2, 3], keepdim: true) - mx * my;
                var structure = (2 * shared + Stable) / (vx + vy + Stable);
                similarity += (texture.flatten(1) * alpha.narrow(0, at, width) + structure.flatten(1) * beta.narrow(0, at, width)).sum(1);
                at += width;
            }
            return 1 - similarity;
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        network.Dispose();
        foreach (var tensor in new[] { mean, deviation, alpha, beta }) tensor.Dispose();
    }

    private List<Tensor> Maps(Tensor images)
    {
        var x = images.to(float32, mean.device).expand(-1, 3, -1, -1);
        return [x, .. network.Maps((x - mean) / deviation)];
    }

    /// <summary>√(w ∗ x²) at stride 2, w the outer product of (½, 1, ½) with itself, scaled to sum 1.</summary>
    private static Tensor Pooled(Tensor x)
    {
        var hann = tensor(new[] { 0.25f, 0.5f, 0.25f }, device: x.device);
        long channels = x.size(1);
        var window = hann.unsqueeze(1).mm(hann.unsqueeze(0)).view(1, 1, 3, 3).repeat(channels, 1, 1, 1);
        return (nn.functional.conv2d(x.square(), window, null, [2, 2], [1, 1], null, channels) + PoolStable).sqrt();
    }
}
