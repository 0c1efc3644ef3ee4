using Langevin.Networks.Clip;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>What a <see cref="ClipText"/> makes of texts.</summary>
/// <param name="HiddenStates">[N, L, width] before the first layer and after each.</param>
/// <param name="Last">The last of them through the final norm.</param>
/// <param name="Pooled">That at the token which ends the text, [N, width].</param>
/// <param name="Embedding">The pooled vector in the space shared with pictures, [N, projection_dim]; null without a projection.</param>
public sealed record ClipTextStates(IReadOnlyList<Tensor> HiddenStates, Tensor Last, Tensor Pooled, Tensor? Embedding);

/// <summary>
/// The text encoder of CLIP (Radford et al. 2021, section 2.4), a causal transformer, with the structure and state-dict keys of the
/// published <c>CLIPTextModel</c> and <c>CLIPTextModelWithProjection</c>.
/// </summary>
public sealed class ClipText : nn.Module
{
    private readonly Tower text_model;
    private readonly Linear? text_projection;

    /// <summary>A network as initialised.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public ClipText(ClipTextConfig config) : base(nameof(ClipText))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        text_model = new(config);
        if (config.Projects) text_projection = new(config.HiddenSize, config.ProjectionDim, bias: false);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>
    /// Vectors of tokens beyond the vocabulary, [M, width]: token VocabSize + i stands for row i (textual inversion, Gal et al. 2022). Null for
    /// none. The caller's; not part of the state dict.
    /// </summary>
    public Tensor? AddedTokens { get; set; }

    /// <summary>Encodes texts.</summary>
    /// <param name="tokens">int64 [N, L], L at most max_position_embeddings.</param>
    /// <exception cref="ArgumentException">Too long, or a token that the network does not know.</exception>
    public ClipTextStates Encode(Tensor tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.dim() != 2 || tokens.size(1) < 1 || tokens.size(1) > Config.MaxPositionEmbeddings)
            throw new ArgumentException($"ClipText: the tokens are [{string.Join(", ", tokens.shape)}], expected [N, L] with L at most {Config.MaxPositionEmbeddings}.", nameof(tokens));
        Check.Index(tokens, Config.VocabSize + (AddedTokens?.size(0) ?? 0), "token", nameof(ClipText));
        using var scope = NewDisposeScope();
        var states = text_model.Run(tokens, AddedTokens);
        var last = text_model.Normalise(states[^1]);
        // The largest of the vocabulary ends a text where the configuration, as the oldest do, does not say which does.
        var end = (Config.EosTokenId == 2 ? where(tokens.lt(Config.VocabSize), tokens, 0L) : tokens.eq(Config.EosTokenId).to(ScalarType.Int64)).argmax(1);
        var pooled = last.gather(1, end.view(-1, 1, 1).expand(-1, 1, last.size(2))).squeeze(1);
        var embedding = text_projection?.call(pooled);
        return new([.. states.Select(s => s.MoveToOuterDisposeScope())], last.MoveToOuterDisposeScope(), pooled.MoveToOuterDisposeScope(), embedding?.MoveToOuterDisposeScope());
    }

    /// <summary>The final norm, for an earlier layer's states: Stable Diffusion 1 with layers skipped reads them so.</summary>
    public Tensor Normalise(Tensor states) => text_model.Normalise(states);

    private sealed class Tower : nn.Module
    {
        private readonly Embeddings embeddings;
        private readonly ClipEncoder encoder;
        private readonly LayerNorm final_layer_norm;

        public Tower(ClipTextConfig c) : base(nameof(Tower))
        {
            embeddings = new(c);
            encoder = new(c.NumHiddenLayers, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads, c.LayerNormEps, c.HiddenAct);
            final_layer_norm = new(c.HiddenSize, c.LayerNormEps);
            RegisterComponents();
        }

        public IReadOnlyList<Tensor> Run(Tensor tokens, Tensor? added) => encoder.Run(embeddings.Of(tokens, added), causal: true);

        public Tensor Normalise(Tensor states) => final_layer_norm.call(states);
    }

    private sealed class Embeddings : nn.Module
    {
        private readonly Embedding token_embedding, position_embedding;

        public Embeddings(ClipTextConfig c) : base(nameof(Embeddings))
        {
            (token_embedding, position_embedding) = (new(c.VocabSize, c.HiddenSize), new(c.MaxPositionEmbeddings, c.HiddenSize));
            RegisterComponents();
        }

        public Tensor Of(Tensor tokens, Tensor? added)
        {
            using var scope = NewDisposeScope();
            var flat = tokens.flatten();
            var rows = token_embedding.call(flat.clamp_max(token_embedding.Rows - 1));
            if (added is not null)
                rows = where(flat.ge(token_embedding.Rows).unsqueeze(1), added.to(rows.dtype, rows.device).index_select(0, (flat - token_embedding.Rows).clamp_min(0)), rows);
            var x = rows.view(tokens.size(0), tokens.size(1), -1) + position_embedding.Table.narrow(0, 0, tokens.size(1));
            // A processor keeps weights in half precision, but computes in single.
            return (x.device_type == TorchSharp.DeviceType.CPU ? x.to(ScalarType.Float32) : x).MoveToOuterDisposeScope();
        }
    }
}
