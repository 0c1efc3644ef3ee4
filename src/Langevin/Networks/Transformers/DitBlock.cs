using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = Langevin.Networks.Layers.Embedding;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks.Transformers;

/// <summary>What every block of a diffusion transformer is given.</summary>
/// <param name="Noise">The step, [N].</param>
/// <param name="Control">What takes place instead of attention, if anything.</param>
/// <param name="Rows">Rows of patches.</param>
/// <param name="Columns">Columns of patches.</param>
internal sealed record DitInput(Tensor Noise, AttentionControl? Control, long Rows, long Columns)
{
    /// <summary>DiT's classes, int64 [N].</summary>
    public Tensor? Label { get; init; }

    /// <summary>PixArt's six vectors, [N, 6, width].</summary>
    public Tensor? Modulation { get; init; }

    /// <summary>PixArt's tokens, [N, L, width].</summary>
    public Tensor? Context { get; init; }

    /// <summary>Added to their logits.</summary>
    public Tensor? Bias { get; init; }
}

/// <summary>x + g₁ attention(norm(x; s₁, b₁)), PixArt's attention to tokens, then + g₂ W₂ gelu(W₁ norm(x; s₂, b₂)); the six vectors follow from step and class.</summary>
internal sealed class DitBlock : nn.Module
{
    private readonly ZeroNorm? norm1;
    private readonly Parameter? scale_shift_table;
    private readonly HeadedAttention attn1;
    private readonly HeadedAttention? attn2;
    private readonly FeedForward ff;
    private readonly string place;
    private readonly double epsilon;

    public DitBlock(DiffusionTransformerConfig config, string name) : base(nameof(DitBlock))
    {
        (place, epsilon) = (name, config.NormEps);
        long width = config.Width, heads = config.NumAttentionHeads;
        attn1 = new(width, width, heads, config.AttentionBias);
        if (config.Captioned)
        {
            scale_shift_table = nn.Parameter(randn(6, width) / Math.Sqrt(width));
            attn2 = new(width, width, heads, config.AttentionBias);
        }
        else norm1 = new(width, config.NumEmbedsAdaNorm!.Value, config.FreqShift ?? 1);
        ff = new(width, new GeluLinear(width, 4 * width, config.ActivationFn == "gelu-approximate"));
        RegisterComponents();
    }

    public Tensor Run(Tensor x, DitInput input)
    {
        using var scope = NewDisposeScope();
        var six = scale_shift_table is null ? norm1!.Modulation(Embed(input, x.dtype)) : scale_shift_table.unsqueeze(0) + input.Modulation!;
        var m = six.chunk(6, 1); // shift, scale and gate of attention, then of the perceptron
        var h = Modulated(x, m[1], m[0], scale_shift_table is null ? 1e-6 : epsilon);
        x = x + m[2] * attn1.Run(h, h, null, new($"{place}.attn1", input.Rows, input.Columns), input.Control);
        if (attn2 is not null) x = x + attn2.Run(x, input.Context!, input.Bias, new($"{place}.attn2", input.Rows, input.Columns, Cross: true), input.Control);
        return (x + m[5] * ff.call(Modulated(x, m[4], m[3], epsilon))).MoveToOuterDisposeScope();
    }

    /// <summary>The vector of step and class, [N, width]; DiT's alone.</summary>
    public Tensor Embed(DitInput input, ScalarType dtype) => norm1!.Embed(input.Noise, input.Label!, dtype);

    /// <summary>norm(x) (1 + scale) + shift.</summary>
    public static Tensor Modulated(Tensor x, Tensor scale, Tensor shift, double epsilon) =>
        nn.functional.layer_norm(x, [x.size(-1)], eps: epsilon) * (1 + scale) + shift;
}

/// <summary>DiT's six vectors of step and class.</summary>
internal sealed class ZeroNorm : nn.Module
{
    private readonly Labelled emb;
    private readonly Linear linear;

    public ZeroNorm(long width, long classes, double shift) : base(nameof(ZeroNorm))
    {
        emb = new(width, classes, shift);
        linear = new(width, 6 * width);
        RegisterComponents();
    }

    public Tensor Embed(Tensor noise, Tensor label, ScalarType dtype) => emb.Run(noise, label, dtype);

    /// <summary>[N, 6, width].</summary>
    public Tensor Modulation(Tensor embedding) => linear.call(embedding.silu()).view(embedding.size(0), 6, -1);

    private sealed class Labelled : nn.Module
    {
        private readonly TimestepEmbedding timestep_embedder;
        private readonly Table class_embedder;
        private readonly double shift;

        public Labelled(long width, long classes, double shift) : base(nameof(Labelled))
        {
            this.shift = shift;
            timestep_embedder = new(DitSteps.Features, width, Activation.SiLU);
            class_embedder = new(classes + 1, width);
            RegisterComponents();
        }

        public Tensor Run(Tensor noise, Tensor label, ScalarType dtype) => timestep_embedder.call(DitSteps.Of(noise, shift, dtype)) + class_embedder.call(label).to(dtype);
    }

    private sealed class Table : nn.Module<Tensor, Tensor>
    {
        private readonly Embedding embedding_table;

        public Table(long rows, long width) : base(nameof(Table))
        {
            embedding_table = new(rows, width);
            RegisterComponents();
        }

        public override Tensor forward(Tensor index) => embedding_table.call(index);
    }
}

/// <summary>PixArt's vector of the step, [N, width], and the six vectors that all blocks begin with.</summary>
internal sealed class SingleNorm : nn.Module
{
    private readonly Timed emb;
    private readonly Linear linear;

    public SingleNorm(long width, double shift) : base(nameof(SingleNorm))
    {
        emb = new(width, shift);
        linear = new(width, 6 * width);
        RegisterComponents();
    }

    public (Tensor Embedding, Tensor Modulation) Run(Tensor noise, ScalarType dtype)
    {
        var embedding = emb.Run(noise, dtype);
        return (embedding, linear.call(embedding.silu()).view(noise.size(0), 6, -1));
    }

    private sealed class Timed : nn.Module
    {
        private readonly TimestepEmbedding timestep_embedder;
        private readonly double shift;

        public Timed(long width, double shift) : base(nameof(Timed))
        {
            this.shift = shift;
            timestep_embedder = new(DitSteps.Features, width, Activation.SiLU);
            RegisterComponents();
        }

        public Tensor Run(Tensor noise, ScalarType dtype) => timestep_embedder.call(DitSteps.Of(noise, shift, dtype));
    }
}

/// <summary>gelu(W x).</summary>
internal sealed class GeluLinear : nn.Module<Tensor, Tensor>
{
    private readonly Linear proj;
    private readonly Activation gelu;

    public GeluLinear(long inputs, long outputs, bool approximate) : base(nameof(GeluLinear))
    {
        proj = new(inputs, outputs);
        gelu = approximate ? Activation.GeluTanh : Activation.Of("gelu");
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => gelu.Consume(proj.call(x));
}

/// <summary>Features of a step in diffusion transformers.</summary>
internal static class DitSteps
{
    public const long Features = 256;

    public static Tensor Of(Tensor noise, double shift, ScalarType dtype) =>
        NoiseFeatures.Sinusoidal(dtype == ScalarType.Float64 ? noise.to(dtype) : noise, Features, shift).to(dtype);
}
