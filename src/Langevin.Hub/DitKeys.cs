using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>State-dict keys of DiT.</summary>
public static class DitKeys
{
    private static readonly (string Original, string Ours)[] InBlock =
    [
        ("adaLN_modulation.1.", "norm1.linear."), ("attn.proj.", "attn1.to_out.0."), ("mlp.fc1.", "ff.net.0.proj."), ("mlp.fc2.", "ff.net.2."),
    ];

    private static readonly (string Original, string Ours)[] Around =
    [
        ("x_embedder.proj.", "pos_embed.proj."), ("final_layer.adaLN_modulation.1.", "proj_out_1."), ("final_layer.linear.", "proj_out_2."),
    ];

    private static readonly (string Original, string Ours)[] Repeated =
    [
        ("t_embedder.mlp.0.", "timestep_embedder.linear_1."), ("t_embedder.mlp.2.", "timestep_embedder.linear_2."), ("y_embedder.", "class_embedder."),
    ];

    /// <summary>
    /// The weights of DiT as it was first published by the keys of <see cref="Networks.DiffusionTransformer"/>, whose every block has its own
    /// copy of the embeddings of step and class. Its <c>freq_shift</c> must be 0; its <c>pos_embed</c>, which are sines and cosines, is left out.
    /// </summary>
    /// <returns>Views of the given tensors; the caller's.</returns>
    public static IReadOnlyDictionary<string, Tensor> FromOriginal(IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int blocks = weights.Keys.Count(k => k.EndsWith(".attn.qkv.weight", StringComparison.Ordinal));
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (key, value) in weights)
        {
            if (key == "pos_embed") continue;
            if (Renamed(key, Repeated) is { } each)
                for (int i = 0; i < blocks; i++) renamed[$"transformer_blocks.{i}.norm1.emb.{each}"] = value.alias();
            else if (key.StartsWith("blocks.", StringComparison.Ordinal) && key.IndexOf('.', 7) is > 0 and var dot)
            {
                string block = "transformer_" + key[..(dot + 1)], name = key[(dot + 1)..];
                if (name.StartsWith("attn.qkv.", StringComparison.Ordinal))
                    foreach (var (part, letter) in value.chunk(3).Zip("qkv")) renamed[$"{block}attn1.to_{letter}.{name["attn.qkv.".Length..]}"] = part;
                else renamed[block + (Renamed(name, InBlock) ?? name)] = value.alias();
            }
            else renamed[Renamed(key, Around) ?? key] = value.alias();
        }
        return renamed;
    }

    private static string? Renamed(string key, (string Original, string Ours)[] table) =>
        table.Where(t => key.StartsWith(t.Original, StringComparison.Ordinal)).Select(t => t.Ours + key[t.Original.Length..]).FirstOrDefault();
}
