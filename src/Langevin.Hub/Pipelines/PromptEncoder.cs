using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Prompts into what a U-Net reads: with one of CLIP's text models as in Stable Diffusion 1 and 2, or with two as in XL.</summary>
public sealed class PromptEncoder : IDisposable
{
    private readonly (ClipTokenizer Tokenizer, ClipText Model)[] parts;

    private PromptEncoder((ClipTokenizer, ClipText)[] parts) => this.parts = parts;

    /// <summary>Whether there are two text models, the second of which also gives a vector of the whole text.</summary>
    public bool IsDouble => parts.Length == 2;

    /// <summary>Reads the text models of a folder, <c>text_encoder</c> and, if there is one, <c>text_encoder_2</c>, with their tokenizers.</summary>
    /// <exception cref="InvalidDataException">A part is missing, damaged or of another architecture.</exception>
    public static PromptEncoder Load(ModelFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var parts = new List<(ClipTokenizer, ClipText)>();
        try
        {
            foreach (string suffix in (string[])["", "_2"])
            {
                if (!folder.Parts.ContainsKey("text_encoder" + suffix)) continue;
                var model = new ClipText(ClipTextConfig.Parse(folder.Config("text_encoder" + suffix)));
                parts.Add((ClipTokenizer.FromFolder(folder.Folder("tokenizer" + suffix)), model));
                folder.Load(model, "text_encoder" + suffix, DiffusersKeys.Modern);
            }
            if (parts.Count == 0) throw new InvalidDataException($"'{folder.Path}' has no text_encoder: it takes no prompts.");
            if (parts.Count == 2 && !parts[1].Item2.Config.Projects) throw new InvalidDataException($"'{folder.Path}': text_encoder_2 must have a projection (CLIPTextModelWithProjection).");
            return new([.. parts]);
        }
        catch
        {
            foreach (var (_, model) in parts) model.Dispose();
            throw;
        }
    }

    /// <summary>A text model by the name of its folder, text_encoder or text_encoder_2; null where there is none.</summary>
    public ClipText? Model(string part) => part == "text_encoder" ? parts[0].Model : part == "text_encoder_2" && IsDouble ? parts[1].Model : null;

    /// <summary>The condition of prompts; the caller's.</summary>
    /// <param name="prompts">N prompts.</param>
    /// <param name="skip">How many of the last layers are left out ("clip skip").</param>
    /// <param name="chunks">Whether a prompt may be longer than the model reads at once; it is then read in stretches. Otherwise that is an error.</param>
    /// <exception cref="ArgumentException">A prompt is too long, or more layers are left out than there are.</exception>
    public Condition Encode(IReadOnlyList<string> prompts, int skip = 0, bool chunks = false)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var contexts = new List<Tensor>();
        Tensor? whole = null;
        foreach (var (tokenizer, model) in parts)
        {
            if (skip < 0 || skip + (IsDouble ? 2 : 1) > model.Config.NumHiddenLayers) throw new ArgumentOutOfRangeException(nameof(skip), skip, $"The text model has {model.Config.NumHiddenLayers} layers: fewer must be left out.");
            var tokens = chunks ? tokenizer.EncodeInChunks(prompts) : tokenizer.Encode(prompts).unsqueeze(1);
            var states = tokens.unbind(1).Select(model.Encode).ToArray();
            // XL reads the layer before the last as it is; the others read the last, or an earlier one through the last norm.
            contexts.Add(cat([.. states.Select(s => IsDouble ? s.HiddenStates[^(2 + skip)] : skip == 0 ? s.Last : model.Normalise(s.HiddenStates[^(1 + skip)]))], 1));
            whole = states[0].Embedding;
        }
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, cat([.. contexts], -1).MoveToOuterDisposeScope());
        return IsDouble ? condition.With(UNet2DCondition.TextVectorSlot, whole!.MoveToOuterDisposeScope()) : condition;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, model) in parts) model.Dispose();
    }
}
