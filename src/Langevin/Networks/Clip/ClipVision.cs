using Langevin.Networks.Clip;
using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Langevin.Networks.Layers.Conv2d;
using Embedding = Langevin.Networks.Layers.Embedding;
using LayerNorm = Langevin.Networks.Layers.LayerNorm;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>What a <see cref="ClipVision"/> makes of pictures.</summary>
/// <param name="HiddenStates">[N, 1 + patches, width] before the first layer and after each.</param>
/// <param name="Pooled">The last at the class token, through the final norm, [N, width].</param>
/// <param name="Embedding">That in the space shared with texts, [N, projection_dim]; null without a projection.</param>
public sealed record ClipVisionStates(IReadOnlyList<Tensor> HiddenStates, Tensor Pooled, Tensor? Embedding);

/// <summary>
/// The picture encoder of CLIP (Radford et al. 2021, section 2.4), a vision transformer, with the structure and state-dict keys of the
/// published <c>CLIPVisionModel</c> and <c>CLIPVisionModelWithProjection</c>.
/// </summary>
public sealed class ClipVision : nn.Module
{
    private readonly Tower vision_model;
    private readonly Linear? visual_projection;

    /// <summary>A network as initialised.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public ClipVision(ClipVisionConfig config) : base(nameof(ClipVision))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        vision_model = new(config);
        if (config.Projects) visual_projection = new(config.HiddenSize, config.ProjectionDim, bias: false);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public ClipVisionConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    /// <param name="pictures">[N, num_channels, image_size, image_size], each channel less its mean and over its deviation as the model was trained.</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public ClipVisionStates Encode(Tensor pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        if (pictures.dim() != 4 || pictures.size(1) != Config.NumChannels || pictures.size(2) != Config.ImageSize || pictures.size(3) != Config.ImageSize)
            throw new ArgumentException($"ClipVision: the pictures are [{string.Join(", ", pictures.shape)}], expected [N, {Config.NumChannels}, {Config.ImageSize}, {Config.ImageSize}].", nameof(pictures));
        using var scope = NewDisposeScope();
        var states = vision_model.Run(pictures);
        var pooled = vision_model.Normalise(states[^1].select(1, 0));
        var embedding = visual_projection?.call(pooled);
        return new([.. states.Select(s => s.MoveToOuterDisposeScope())], pooled.MoveToOuterDisposeScope(), embedding?.MoveToOuterDisposeScope());
    }

    private sealed class Tower : nn.Module
    {
        private readonly Embeddings embeddings;
        private readonly LayerNorm pre_layrnorm, post_layernorm; // the published key has lost its letters
        private readonly ClipEncoder encoder;

        public Tower(ClipVisionConfig c) : base(nameof(Tower))
        {
            embeddings = new(c);
            pre_layrnorm = new(c.HiddenSize, c.LayerNormEps);
            encoder = new(c.NumHiddenLayers, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads, c.LayerNormEps, c.HiddenAct);
            post_layernorm = new(c.HiddenSize, c.LayerNormEps);
            RegisterComponents();
        }

        public IReadOnlyList<Tensor> Run(Tensor pictures) => encoder.Run(pre_layrnorm.call(embeddings.call(pictures)), causal: false);

        public Tensor Normalise(Tensor state) => post_layernorm.call(state);
    }

    private sealed class Embeddings : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter class_embedding;
        private readonly Conv2d patch_embedding;
        private readonly Embedding position_embedding;

        public Embeddings(ClipVisionConfig c) : base(nameof(Embeddings))
        {
            class_embedding = nn.Parameter(randn(c.HiddenSize));
            patch_embedding = new(c.NumChannels, c.HiddenSize, c.PatchSize, stride: c.PatchSize, bias: false);
            int side = c.ImageSize / c.PatchSize;
            position_embedding = new(side * side + 1, c.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor pictures)
        {
            using var scope = NewDisposeScope();
            var patches = patch_embedding.call(pictures).flatten(2).transpose(1, 2);
            var rows = cat([class_embedding.view(1, 1, -1).expand(pictures.size(0), 1, -1), patches], 1);
            return (rows + position_embedding.Table).MoveToOuterDisposeScope();
        }
    }
}
