using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace Langevin.Metrics.Judging;

/// <summary>SHA-256 over tensors and text, in parts so that size does not matter.</summary>
internal sealed class Fingerprint : IDisposable
{
    private const long ChunkElements = 1 << 22;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public Fingerprint Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
        hash.AppendData(bytes);
        return this;
    }

    /// <summary>Element type, shape and bytes of a tensor; null counts too.</summary>
    public Fingerprint Add(Tensor? tensor)
    {
        if (tensor is null) return Add("null");
        Add($"{tensor.dtype}{Require.Shape(tensor)}");
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        for (long i = 0; i < flat.size(0); i += ChunkElements)
        {
            using var part = flat.narrow(0, i, Math.Min(ChunkElements, flat.size(0) - i));
            hash.AppendData(part.bytes);
        }
        return this;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public string Digest() => Convert.ToHexStringLower(hash.GetHashAndReset());

    /// <summary>16 digits over named tensors, in the order of their names.</summary>
    public static string Short(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var fingerprint = new Fingerprint();
        foreach (var (name, tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal)) fingerprint.Add(name).Add(tensor);
        return fingerprint.Digest()[..16];
    }

    public void Dispose() => hash.Dispose();
}
