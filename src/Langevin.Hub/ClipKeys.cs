using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>State-dict keys of CLIP.</summary>
public static class ClipKeys
{
    /// <summary>
    /// The weights of CLIP as it was first published, whose attention has queries, keys and values in one matrix and whose projections
    /// stand the other way round, by the keys of <see cref="Networks.ClipText"/> (<c>text_…</c>) and <see cref="Networks.ClipVision"/>
    /// (<c>vision_…</c>, <c>visual_…</c>); other keys as they are.
    /// </summary>
    /// <returns>Views of the given tensors; the caller's.</returns>
    public static IReadOnlyDictionary<string, Tensor> FromOriginal(IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (key, value) in weights)
        {
            bool visual = key.StartsWith("visual.", StringComparison.Ordinal);
            string name = visual ? key["visual.".Length..] : key, tower = visual ? "vision_model." : "text_model.";
            if (name.StartsWith("transformer.resblocks.", StringComparison.Ordinal)) Layer(tower + "encoder.layers." + name["transformer.resblocks.".Length..], value);
            else if (name is "text_projection" or "proj") renamed[(visual ? "visual" : "text") + "_projection.weight"] = value.t();
            else renamed[Named(tower, name) ?? key] = value.alias();
        }
        return renamed;

        void Layer(string name, Tensor value)
        {
            name = name.Replace(".ln_", ".layer_norm", StringComparison.Ordinal).Replace(".mlp.c_fc.", ".mlp.fc1.", StringComparison.Ordinal)
                .Replace(".mlp.c_proj.", ".mlp.fc2.", StringComparison.Ordinal).Replace(".attn.", ".self_attn.", StringComparison.Ordinal);
            if (name.IndexOf("in_proj_", StringComparison.Ordinal) is >= 0 and var at)
                foreach (var (part, letter) in value.chunk(3).Zip("qkv")) renamed[$"{name[..at]}{letter}_proj.{name[(at + "in_proj_".Length)..]}"] = part;
            else renamed[name] = value.alias();
        }
    }

    private static string? Named(string tower, string name) => name switch
    {
        "token_embedding.weight" => tower + "embeddings.token_embedding.weight",
        "positional_embedding" => tower + "embeddings.position_embedding.weight",
        "class_embedding" => tower + "embeddings.class_embedding",
        "conv1.weight" => tower + "embeddings.patch_embedding.weight",
        "ln_final.weight" or "ln_final.bias" => tower + "final_layer_norm" + name["ln_final".Length..],
        "ln_pre.weight" or "ln_pre.bias" => tower + "pre_layrnorm" + name["ln_pre".Length..],
        "ln_post.weight" or "ln_post.bias" => tower + "post_layernorm" + name["ln_post".Length..],
        _ => null,
    };
}
