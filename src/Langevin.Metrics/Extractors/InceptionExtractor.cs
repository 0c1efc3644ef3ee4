using Langevin.Metrics.Judging;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Metrics.Extractors;

/// <summary>How images are brought to the Inception network's 299 × 299 pixels.</summary>
public enum InceptionResize
{
    /// <summary>As TensorFlow 1 resizes, source = target × scale without the half pixel, then (v − 128)/128 of bytes: the original FID and torch-fidelity.</summary>
    TensorFlow,

    /// <summary>Bilinear between pixel centres, then 2v − 1 of [0, 1]: pytorch-fid.</summary>
    HalfPixel,
}

/// <summary>The Inception features of FID, KID and the Inception score, from the user's weight file.</summary>
public sealed class InceptionExtractor : IFeatureExtractor
{
    private readonly Inception network;
    private readonly InceptionResize resize;
    private readonly Device device;

    /// <summary>Wraps a network with weights of its own.</summary>
    internal InceptionExtractor(Inception network, string hash, string file, InceptionResize resize, Device device)
    {
        (this.network, Hash, this.resize, this.device) = (network, hash, resize, device);
        network.eval();
        network.to(device);
        Name = $"Inception-v3 of FID, 2048 features, {(resize == InceptionResize.TensorFlow ? "TensorFlow" : "half-pixel")} resize, {file}";
    }

    /// <summary>Reads the weights: pytorch-fid's <c>pt_inception-2015-12-05-6726825d.pth</c>, or the same keys as safetensors.</summary>
    /// <exception cref="InvalidDataException">Another network's weights.</exception>
    public static InceptionExtractor Load(string path, InceptionResize resize = InceptionResize.TensorFlow, Device? device = null)
    {
        using var file = WeightFile.Open(path);
        return From(file, resize, device);
    }

    /// <summary>The same from a file that is open already.</summary>
    public static InceptionExtractor From(WeightFile file, InceptionResize resize = InceptionResize.TensorFlow, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Kind != WeightKind.Inception) throw new InvalidDataException($"{file.Path}: {file.Description}, not the Inception network of FID");
        var network = new Inception();
        try
        {
            file.LoadInto(network);
            return new(network, file.Hash, file.Description, resize, device ?? CPU);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of the weight file.</summary>
    public string Hash { get; }

    /// <inheritdoc/>
    public int Width => Inception.Width;

    /// <inheritdoc/>
    public int ClassCount => Inception.Classes;

    /// <inheritdoc/>
    public Tensor Features(Tensor samples) => WrappedTensorDisposeScope(() => Read(samples).Features);

    /// <inheritdoc/>
    public Tensor? Logits(Tensor samples) => WrappedTensorDisposeScope(() => LogitsOf(Read(samples).Features));

    /// <summary>Class logits [N, 1008] of features that were read already.</summary>
    public Tensor LogitsOf(Tensor features)
    {
        Require.Matrix(features);
        return WrappedTensorDisposeScope(() =>
        {
            using var gradients = no_grad();
            return network.Logits(features);
        });
    }

    /// <summary>
    /// Features [N, 2048], and those of sFID, [N, 2023]: the first 7 channels of the last 17 × 17 block (Nash et al. 2021,
    /// arXiv:2103.03841), in one pass.
    /// </summary>
    /// <param name="samples">[N, 1 or 3, H, W] in [−1, 1].</param>
    public (Tensor Features, Tensor Spatial) Read(Tensor samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.dim() != 4 || samples.size(1) is not (1 or 3) || samples.numel() == 0)
            throw new ArgumentException($"expected images [N, 1 or 3, H, W] in [−1, 1], got {Require.Shape(samples)}", nameof(samples));
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (features, spatial) = network.Read(Prepared(samples.to(float32, device)));
        return (features.MoveToOuterDisposeScope(), spatial.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State() => network.state_dict();

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();

    /// <summary>Bytes of the images, as the network was given them, at its size and scale.</summary>
    private Tensor Prepared(Tensor samples)
    {
        var x = samples.expand(-1, 3, -1, -1);
        if (resize == InceptionResize.HalfPixel)
            return nn.functional.interpolate(x, [Inception.Side, Inception.Side], mode: InterpolationMode.Bilinear, align_corners: false);
        var bytes = ((x + 1) * 127.5).round().clamp(0, 255);
        return (TensorFlowResize(bytes, Inception.Side) - 128) / 128;
    }

    /// <summary>Bilinear interpolation at target × (old / new), the last pixel repeated.</summary>
    internal static Tensor TensorFlowResize(Tensor x, long side)
    {
        return WrappedTensorDisposeScope(() => Along(Along(x, 2, side), 3, side));

        static Tensor Along(Tensor x, int dimension, long side)
        {
            long size = x.size(dimension);
            if (size == side) return x;
            var at = arange(side, float64, x.device) * ((double)size / side);
            var below = at.floor().to(int64).clamp(0, size - 1);
            var share = (at - below).to(x.dtype).view(dimension == 2 ? [-1, 1] : [1, -1]);
            var low = x.index_select(dimension, below);
            return low + (x.index_select(dimension, (below + 1).clamp(0, size - 1)) - low) * share;
        }
    }
}
