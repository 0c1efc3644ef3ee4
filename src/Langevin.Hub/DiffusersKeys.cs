using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>State-dict keys of older versions of diffusers and transformers.</summary>
public static class DiffusersKeys
{
    private static readonly (string Old, string New)[] Attention = [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")];

    /// <summary>
    /// The weights of an autoencoder by today's keys: its attention was once written with <c>query</c>, <c>key</c>, <c>value</c> and
    /// <c>proj_attn</c>, and before that as convolutions of one pixel. Positions of tokens, which were once saved though they are counted, are left out.
    /// </summary>
    /// <returns>Views of the given tensors; the caller's.</returns>
    public static IReadOnlyDictionary<string, Tensor> Modern(IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (key, value) in weights)
        {
            if (key.EndsWith(".position_ids", StringComparison.Ordinal)) continue;
            string name = key;
            if (key.Contains(".attentions.", StringComparison.Ordinal))
                foreach (var (old, current) in Attention) name = name.Replace(old, current, StringComparison.Ordinal);
            renamed[name] = name != key && value.dim() == 4 ? value.flatten(1) : value.alias();
        }
        return renamed;
    }
}
