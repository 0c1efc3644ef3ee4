using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// A word of its own for a thing that a text model does not know: learnt vectors in place of a token's (Gal et al. 2022). Files as diffusers,
/// Stable Diffusion's web interfaces and their kin for XL (<c>clip_l</c>, <c>clip_g</c>) write them.
/// </summary>
public sealed class TextualInversion : IDisposable
{
    private TextualInversion(string token, IReadOnlyList<Tensor> vectors) => (Token, Vectors) = (token, vectors);

    /// <summary>The word that stands for it in a prompt.</summary>
    public string Token { get; }

    /// <summary>Its vectors, float32 [M, width], one set a text model.</summary>
    public IReadOnlyList<Tensor> Vectors { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">A safetensors or PyTorch file.</param>
    /// <param name="token">The word for it; the file's own, or the file's name in angle brackets where it has none.</param>
    /// <exception cref="InvalidDataException">It holds no vectors of a token.</exception>
    public static TextualInversion Load(string path, string? token = null)
    {
        using var scope = NewDisposeScope();
        var all = ModelFolder.Read(path);
        Tensor Rows(string key) => all[key].dim() switch
        {
            1 => all[key].to(ScalarType.Float32).unsqueeze(0),
            2 => all[key].to(ScalarType.Float32),
            _ => throw new InvalidDataException($"'{path}': '{key}' is [{string.Join(", ", all[key].shape)}], which is no vectors of a token."),
        };
        string[] keys = all.ContainsKey("clip_l") || all.ContainsKey("clip_g") ? ["clip_l", "clip_g"] : [.. all.Keys];
        if (keys.Length != (keys[0] == "clip_l" ? 2 : 1) || keys.Any(k => !all.ContainsKey(k)))
            throw new InvalidDataException($"'{path}' holds {all.Count} tensors ({string.Join(", ", all.Keys.Take(3))}): a textual inversion holds the vectors of one token, or clip_l and clip_g.");
        bool named = keys is [not ("emb_params" or "string_to_param.*" or "clip_l")];
        string word = token ?? (named ? keys[0] : $"<{Path.GetFileNameWithoutExtension(path)}>");
        if (word.Length == 0 || word.Any(char.IsWhiteSpace)) throw new ArgumentException($"'{word}' cannot stand for a textual inversion: it must be one word.", nameof(token));
        return new(word, [.. keys.Select(k => Rows(k).DetachFromDisposeScope())]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var vectors in Vectors) vectors.Dispose();
    }
}
