using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>State-dict keys of TAESD.</summary>
public static class TinyKeys
{
    /// <summary>
    /// The weights of an encoder and a decoder as their author publishes them, bare lists of numbered layers, by the keys of
    /// <see cref="Networks.AutoencoderTiny"/>. The decoder's list there begins with the limit of codes, which has no weights.
    /// </summary>
    /// <param name="encoder">The encoder's, or null.</param>
    /// <param name="decoder">The decoder's, or null.</param>
    /// <returns>Views of the given tensors; the caller's.</returns>
    /// <exception cref="InvalidDataException">A key does not begin with a layer's number.</exception>
    public static IReadOnlyDictionary<string, Tensor> FromOriginal(IReadOnlyDictionary<string, Tensor>? encoder, IReadOnlyDictionary<string, Tensor>? decoder)
    {
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (part, weights, shift) in new[] { ("encoder", encoder, 0), ("decoder", decoder, 1) })
            foreach (var (key, value) in weights ?? new Dictionary<string, Tensor>())
            {
                int dot = key.IndexOf('.');
                if (dot < 1 || !int.TryParse(key[..dot], out int layer) || layer < shift) throw new InvalidDataException($"'{key}' is no layer of a TAESD {part}: keys begin with a number.");
                renamed[$"{part}.layers.{layer - shift}{key[dot..]}"] = value.alias();
            }
        return renamed;
    }
}
