using System.Security.Cryptography;
using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Metrics.Extractors;

/// <summary>What a weight file holds, told by its keys.</summary>
public enum WeightKind
{
    /// <summary>None of the networks below.</summary>
    Unknown,

    /// <summary>The Inception-v3 of FID.</summary>
    Inception,

    /// <summary>torchvision's VGG16.</summary>
    Vgg16,

    /// <summary>torchvision's AlexNet.</summary>
    AlexNet,

    /// <summary>LPIPS heads for VGG16.</summary>
    LpipsVgg,

    /// <summary>LPIPS heads for AlexNet.</summary>
    LpipsAlex,

    /// <summary>α and β of DISTS.</summary>
    Dists,
}

/// <summary>A user's file of weights, identified by its keys and by the SHA-256 of its bytes.</summary>
public sealed class WeightFile : IDisposable
{
    // Digits that published file names end with, which are the first of the file's SHA-256.
    private static readonly Dictionary<string, string> Published = new()
    {
        ["6726825d"] = "published as pt_inception-2015-12-05-6726825d", ["397923af"] = "published as vgg16-397923af",
        ["7be5be79"] = "published as alexnet-owt-7be5be79", ["4df8aa71"] = "published as alexnet-owt-4df8aa71",
        ["df73285e"] = "published as LPIPS v0.1 for AlexNet", ["a78928a0"] = "published as LPIPS v0.1 for VGG16",
    };

    private readonly IReadOnlyDictionary<string, Tensor> tensors;

    private WeightFile(string path, string digest, IReadOnlyDictionary<string, Tensor> tensors)
    {
        (Path, Hash, this.tensors, Kind) = (path, digest[..16], tensors, KindOf(tensors));
        string what = Published.GetValueOrDefault(digest[..8], "not a file known by its hash");
        Description = $"{System.IO.Path.GetFileName(path)} ({what})";
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>First 16 hexadecimal digits of the SHA-256 of its bytes.</summary>
    public string Hash { get; }

    /// <summary>What it holds.</summary>
    public WeightKind Kind { get; }

    /// <summary>Its name and whether its hash is that of a published file.</summary>
    public string Description { get; }

    /// <summary>Reads a safetensors or PyTorch file.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">Of neither format, or damaged.</exception>
    public static WeightFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"No weight file '{path}'.", path);
        string digest;
        using (var stream = File.OpenRead(path)) digest = Convert.ToHexStringLower(SHA256.HashData(stream));
        return new(path, digest, TorchFile.Is(path) ? TorchFile.Load(path) : SafeTensors.Load(path));
    }

    /// <summary>The tensor of a key.</summary>
    internal Tensor this[string key] => tensors.TryGetValue(key, out var t) ? t : throw new InvalidDataException($"{Path}: no tensor '{key}'");

    /// <summary>Copies into a module the tensors it has names for. Others (classifiers, auxiliary heads) are passed over; counters of batches may be missing.</summary>
    internal void LoadInto(nn.Module module)
    {
        var own = module.state_dict();
        var fitting = tensors.Where(t => own.ContainsKey(t.Key)).ToDictionary(t => t.Key, t => t.Value);
        foreach (var (key, value) in own)
            if (key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) fitting.TryAdd(key, value);
        StateDict.Load(module, fitting, Path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }

    private static WeightKind KindOf(IReadOnlyDictionary<string, Tensor> t)
    {
        long Channels(string key, int dimension) => t.TryGetValue(key, out var w) && w.dim() > dimension ? w.size(dimension) : 0;
        return t.ContainsKey("Mixed_7c.branch_pool.conv.weight") ? WeightKind.Inception
            : Channels("features.28.weight", 0) == 512 ? WeightKind.Vgg16
            : Channels("features.10.weight", 0) == 256 && Channels("features.3.weight", 0) == 192 ? WeightKind.AlexNet
            : Channels("lin1.model.1.weight", 1) == 128 && t.Count == 5 ? WeightKind.LpipsVgg
            : Channels("lin1.model.1.weight", 1) == 192 && t.Count == 5 ? WeightKind.LpipsAlex
            : t.ContainsKey("alpha") && t.ContainsKey("beta") ? WeightKind.Dists
            : WeightKind.Unknown;
    }
}
