using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// Low-rank changes of a model's weights, W + s (α/r) B A (Hu et al. 2021, section 4.1), from a file of any of the usual namings: kohya's
/// (<c>lora_unet_….lora_down.weight</c> with <c>.alpha</c>), diffusers' (<c>….lora.down.weight</c>, <c>…_lora.down.weight</c> behind a
/// processor) and PEFT's (<c>….lora_A.weight</c>).
/// </summary>
public sealed partial class LoraWeights : IDisposable
{
    private readonly List<Change> changes;
    private readonly string source;

    private LoraWeights(List<Change> changes, string source) => (this.changes, this.source) = (changes, source);

    // B [out, r, ...], A [r, in, ...] of the layer that is called so, its dots perhaps written as underscores.
    private sealed record Change(string Part, string Layer, Tensor Down, Tensor Up, double Alpha)
    {
        public string Flat { get; } = Layer.Replace('.', '_');
    }

    /// <summary>Number of layers that are changed.</summary>
    public int Count => changes.Count;

    /// <summary>The parts of a model that are changed: unet, text_encoder, text_encoder_2.</summary>
    public IReadOnlyList<string> Parts => [.. changes.Select(c => c.Part).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It holds no such changes, one without its other half, or a name that is not understood.</exception>
    public static LoraWeights Load(string path)
    {
        using var scope = NewDisposeScope();
        var tensors = ModelFolder.Read(path);
        var halves = new SortedDictionary<string, (Tensor? Down, Tensor? Up, double? Alpha)>(StringComparer.Ordinal);
        foreach (var (key, value) in tensors)
        {
            var match = Key().Match(key);
            if (!match.Success) throw new InvalidDataException($"'{path}': '{key}' is no part of a low-rank change.");
            string layer = match.Groups["layer"].Value.Replace(".processor", "", StringComparison.Ordinal);
            if (layer.EndsWith(".to_out", StringComparison.Ordinal)) layer += ".0"; // a processor does not number it
            halves.TryGetValue(layer, out var half);
            halves[layer] = match.Groups["what"].Value switch
            {
                "lora_down" or "lora.down" or "_lora.down" or "lora_A" or "lora_linear_layer.down" => half with { Down = value },
                "alpha" => half with { Alpha = value.to(ScalarType.Float64).item<double>() },
                _ => half with { Up = value },
            };
        }
        if (halves.Count == 0) throw new InvalidDataException($"'{path}' holds no low-rank changes.");
        var changes = new List<Change>();
        foreach (var (name, (down, up, alpha)) in halves)
        {
            if (down is null || up is null) throw new InvalidDataException($"'{path}': '{name}' has only one of its two factors.");
            if (down.dim() < 2 || up.dim() < 2 || up.size(1) != down.size(0)) throw new InvalidDataException($"'{path}': the factors of '{name}' are [{string.Join(", ", up.shape)}] and [{string.Join(", ", down.shape)}]: their ranks differ.");
            var (part, layer) = Split(name, path);
            changes.Add(new(part, layer, down.to(ScalarType.Float32).DetachFromDisposeScope(), up.to(ScalarType.Float32).DetachFromDisposeScope(), alpha ?? down.size(0)));
        }
        return new(changes, $"'{path}'");
    }

    /// <summary>Adds the changes of a part to its weights; disposing the result takes them back, to the bit.</summary>
    /// <param name="module">The part.</param>
    /// <param name="part">Its name: unet, text_encoder, text_encoder_2.</param>
    /// <param name="scale">s.</param>
    /// <remarks>Several may be applied one after another, and must be taken back in the opposite order.</remarks>
    /// <exception cref="InvalidDataException">A layer is not there or has another shape: one message lists them all.</exception>
    public IDisposable Apply(nn.Module module, string part, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(module);
        var found = Resolve(module, part);
        var before = found.ConvertAll(f => (f.Weight, Old: f.Weight.detach().clone().DetachFromDisposeScope()));
        Add(found, scale);
        return new Applied(before);
    }

    /// <summary>Adds the changes of a part to its weights for good.</summary>
    /// <inheritdoc cref="Apply"/>
    public void Merge(nn.Module module, string part, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(module);
        Add(Resolve(module, part), scale);
    }

    private static void Add(List<(Change Change, Tensor Weight)> found, double scale)
    {
        using var still = no_grad();
        foreach (var (change, weight) in found)
        {
            using var scope = NewDisposeScope();
            var delta = change.Up.flatten(1).mm(change.Down.flatten(1)).view(weight.shape) * (scale * change.Alpha / change.Down.size(0));
            weight.add_(delta.to(weight.dtype, weight.device));
        }
    }

    /// <summary>Checks that a part has every layer that is to be changed, in its shape.</summary>
    /// <exception cref="InvalidDataException">It has not.</exception>
    public void Check(nn.Module module, string part) => Resolve(module, part);

    private List<(Change Change, Tensor Weight)> Resolve(nn.Module module, string part)
    {
        var weights = module.named_parameters().Where(p => p.name.EndsWith(".weight", StringComparison.Ordinal)).ToDictionary(p => p.name[..^".weight".Length].Replace('.', '_'), p => (Tensor)p.parameter);
        var wrong = new List<string>();
        var found = new List<(Change, Tensor)>();
        foreach (var change in changes.Where(c => c.Part == part))
            if (!weights.TryGetValue(change.Flat, out var weight)) wrong.Add($"{change.Layer} is not there");
            else if (weight.numel() != change.Up.size(0) * (change.Down.numel() / change.Down.size(0)) || weight.size(0) != change.Up.size(0))
                wrong.Add($"{change.Layer} is [{string.Join(", ", weight.shape)}], changed by [{string.Join(", ", change.Up.shape)}] · [{string.Join(", ", change.Down.shape)}]");
            else found.Add((change, weight));
        return wrong.Count == 0 ? found
            : throw new InvalidDataException($"{source} was made for another {part}: {string.Join("; ", wrong.Take(5))}{(wrong.Count > 5 ? $"; and {wrong.Count - 5} more" : "")}.");
    }

    // "unet.mid_block…", "lora_unet_mid_block…", "lora_te1_text_model…", "text_encoder_2.text_model…"; a bare name is of the U-Net.
    private static (string Part, string Layer) Split(string name, string path)
    {
        foreach (var (prefix, part) in new[]
        {
            ("lora_unet_", "unet"), ("lora_te1_", "text_encoder"), ("lora_te2_", "text_encoder_2"), ("lora_te_", "text_encoder"),
            ("unet.", "unet"), ("text_encoder_2.", "text_encoder_2"), ("text_encoder.", "text_encoder"), ("base_model.model.", "unet"),
        })
            if (name.StartsWith(prefix, StringComparison.Ordinal)) return (part, part == "unet" ? Current(name[prefix.Length..]) : name[prefix.Length..]);
        return Bare().IsMatch(name) ? ("unet", name) : throw new InvalidDataException($"'{path}': '{name}' does not say which part of a model it changes.");
    }

    // Blocks as latent diffusion's own code counts them, which XL's low-rank changes are often named by.
    private static string Current(string name)
    {
        var match = Counted().Match(name);
        if (!match.Success) return name;
        string rest = match.Groups["rest"].Value.Replace("in_layers_", "in_layers.", StringComparison.Ordinal).Replace("out_layers_", "out_layers.", StringComparison.Ordinal).Replace("emb_layers_", "emb_layers.", StringComparison.Ordinal);
        return LdmKeys.UNet($"{match.Groups["kind"].Value}.{match.Groups["place"].Value.Replace('_', '.')}.{rest}.", layers: 2)?.TrimEnd('.') ?? name;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var change in changes)
        {
            change.Down.Dispose();
            change.Up.Dispose();
        }
    }

    [GeneratedRegex(@"^(?<layer>.+?)(?:\.(?<what>lora_down|lora_up|lora\.down|lora\.up|lora_A|lora_B|lora_linear_layer\.down|lora_linear_layer\.up)(?:\.default)?\.weight|(?<what>_lora\.down|_lora\.up)\.weight|\.(?<what>alpha))$")]
    private static partial Regex Key();

    [GeneratedRegex(@"^(?:(?<kind>input_blocks|output_blocks)_(?<place>\d{1,3}_\d{1,3})|(?<kind>middle_block)_(?<place>\d{1,3}))_(?<rest>.+)$")]
    private static partial Regex Counted();

    [GeneratedRegex(@"^(down_blocks|mid_block|up_blocks|transformer_blocks|conv_in|conv_out|time_embedding)\b")]
    private static partial Regex Bare();

    private sealed class Applied(List<(Tensor Weight, Tensor Old)> before) : IDisposable
    {
        private bool done;

        public void Dispose()
        {
            if (done) return;
            done = true;
            using var still = no_grad();
            foreach (var (weight, old) in before)
            {
                weight.copy_(old);
                old.Dispose();
            }
        }
    }
}
