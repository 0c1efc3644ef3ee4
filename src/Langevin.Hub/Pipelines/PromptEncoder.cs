using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>How prompts are read.</summary>
/// <param name="ClipSkip">How many of the text model's last layers are left out.</param>
/// <param name="Chunks">Whether a prompt may be longer than the model reads at once; it is then read in stretches. Otherwise that is an error.</param>
/// <param name="Weighted">Whether brackets say what counts more or less (<see cref="WeightedText"/>).</param>
public sealed record PromptOptions(int ClipSkip = 0, bool Chunks = false, bool Weighted = false);

/// <summary>Prompts into what a U-Net reads: with one of CLIP's text models as in Stable Diffusion 1 and 2, with two as in XL, or with the second alone as in XL's refiner.</summary>
public sealed class PromptEncoder : IDisposable
{
    private readonly (ClipTokenizer Tokenizer, ClipText Model, string Part)[] parts;
    private readonly Dictionary<string, int> added = new(StringComparer.Ordinal); // a word's number of tokens

    private PromptEncoder((ClipTokenizer, ClipText, string)[] parts) => this.parts = parts;

    /// <summary>Whether the prompts are XL's: of the layer before the last, and with a vector of the whole text beside.</summary>
    public bool IsXl => parts[^1].Part == "text_encoder_2";

    /// <summary>Reads the text models of a folder, <c>text_encoder</c> and <c>text_encoder_2</c>, with their tokenizers.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="type">Type in which weights are kept; null for single precision.</param>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static PromptEncoder Load(ModelFolder folder, ScalarType? type = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var parts = new List<(ClipTokenizer, ClipText, string)>();
        try
        {
            foreach (string suffix in (string[])["", "_2"])
            {
                string part = "text_encoder" + suffix;
                if (!folder.Parts.ContainsKey(part)) continue;
                var tokenizer = ClipTokenizer.FromFolder(folder.Folder("tokenizer" + suffix));
                parts.Add((tokenizer, folder.Load(part, () => new ClipText(ClipTextConfig.Parse(folder.Config(part))), type, DiffusersKeys.Modern), part));
            }
            if (parts.Count == 0) throw new InvalidDataException($"'{folder.Path}' has no text_encoder: it takes no prompts.");
            if (parts[^1].Item3 == "text_encoder_2" && !parts[^1].Item2.Config.Projects) throw new InvalidDataException($"'{folder.Path}': text_encoder_2 must have a projection (CLIPTextModelWithProjection).");
            return new([.. parts]);
        }
        catch
        {
            foreach (var (_, model, _) in parts) model.Dispose();
            throw;
        }
    }

    /// <summary>A text model by the name of its folder, text_encoder or text_encoder_2; null where there is none.</summary>
    public ClipText? Model(string part) => parts.FirstOrDefault(p => p.Part == part).Model;

    /// <summary>Teaches the text models a word.</summary>
    /// <exception cref="InvalidDataException">Its vectors are of another width than the models' tokens.</exception>
    /// <exception cref="ArgumentException">The word is known already.</exception>
    public void Add(TextualInversion word)
    {
        ArgumentNullException.ThrowIfNull(word);
        string Widths(IEnumerable<long> widths) => string.Join(" and ", widths);
        if (!word.Vectors.Select(v => v.size(1)).SequenceEqual(parts.Select(p => (long)p.Model.Config.HiddenSize)))
            throw new InvalidDataException($"{word.Token} has vectors of {Widths(word.Vectors.Select(v => v.size(1)))}; the tokens of this model have {Widths(parts.Select(p => (long)p.Model.Config.HiddenSize))}.");
        if (!added.TryAdd(word.Token, (int)word.Vectors[0].size(0))) throw new ArgumentException($"The word {word.Token} is there already: give this one another name.", nameof(word));
        foreach (var ((_, model, _), vectors) in parts.Zip(word.Vectors))
        {
            var before = model.AddedTokens;
            model.AddedTokens = (before is null ? vectors.clone() : cat([before, vectors])).DetachFromDisposeScope();
            before?.Dispose();
        }
    }

    /// <summary>The condition of prompts; the caller's.</summary>
    /// <param name="prompts">N prompts.</param>
    /// <param name="options">How they are read.</param>
    /// <exception cref="ArgumentException">A prompt is too long, or more layers are left out than there are.</exception>
    public Condition Encode(IReadOnlyList<string> prompts, PromptOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options ??= new();
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var contexts = new List<Tensor>();
        Tensor? whole = null;
        foreach (var (tokenizer, model, _) in parts)
        {
            int skip = options.ClipSkip;
            if (skip < 0 || skip + (IsXl ? 2 : 1) > model.Config.NumHiddenLayers) throw new ArgumentOutOfRangeException(nameof(options), skip, $"The text model has {model.Config.NumHiddenLayers} layers: fewer must be left out.");
            var rows = prompts.Select(p => Tokens(tokenizer, p, options.Weighted)).ToArray();
            for (int i = 0; i < rows.Length && !options.Chunks; i++) tokenizer.NeedRoom(prompts[i], rows[i].Count);
            var tokens = tokenizer.Frame([.. rows.Select(r => r.Select(t => t.Id).ToArray())]);
            var states = tokens.unbind(1).Select(model.Encode).ToArray();
            // XL reads the layer before the last as it is; the others read the last, or an earlier one through the last norm.
            var context = cat([.. states.Select(s => IsXl ? s.HiddenStates[^(2 + skip)] : skip == 0 ? s.Last : model.Normalise(s.HiddenStates[^(1 + skip)]))], 1);
            contexts.Add(options.Weighted ? Weigh(context, rows, tokenizer.Length) : context);
            whole = states[0].Embedding;
        }
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, cat([.. contexts], -1).MoveToOuterDisposeScope());
        return IsXl ? condition.With(UNet2DCondition.TextVectorSlot, whole!.MoveToOuterDisposeScope()) : condition;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, model, _) in parts)
        {
            model.AddedTokens?.Dispose();
            model.Dispose();
        }
    }

    // The text's tokens, with those of added words in their places, and the weight of each.
    private List<(int Id, double Weight)> Tokens(ClipTokenizer tokenizer, string prompt, bool weighted)
    {
        var tokens = new List<(int, double)>();
        foreach (var (text, weight) in weighted ? WeightedText.Parse(prompt) : [new(prompt, 1)])
        {
            string rest = text;
            while (rest.Length > 0)
            {
                var (word, at) = added.Keys.Select(w => (Word: w, At: rest.IndexOf(w, StringComparison.Ordinal))).Where(w => w.At >= 0).OrderBy(w => w.At).ThenByDescending(w => w.Word.Length)
                    .FirstOrDefault(("", rest.Length));
                tokens.AddRange(tokenizer.Tokens(rest[..at]).Select(t => (t, weight)));
                if (word.Length > 0) tokens.AddRange(Enumerable.Range(tokenizer.VocabSize + added.TakeWhile(a => a.Key != word).Sum(a => a.Value), added[word]).Select(t => (t, weight)));
                rest = rest[(at + word.Length)..];
            }
        }
        return tokens;
    }

    // Weighted states, scaled so that their mean stays what it was.
    private static Tensor Weigh(Tensor context, IReadOnlyList<List<(int Id, double Weight)>> rows, int length)
    {
        int stretches = (int)context.size(1) / length;
        float[] weights = [.. rows.SelectMany(row => Enumerable.Range(0, stretches).SelectMany(i =>
        {
            double[] own = [1, .. row.Skip(i * (length - 2)).Take(length - 2).Select(t => t.Weight)];
            return own.Concat(Enumerable.Repeat(1.0, length - own.Length)).Select(w => (float)w);
        }))];
        var weighted = context * tensor(weights, [rows.Count, stretches * length, 1]).to(context.device);
        return weighted * (context.mean([1, 2], keepdim: true) / weighted.mean([1, 2], keepdim: true));
    }
}
