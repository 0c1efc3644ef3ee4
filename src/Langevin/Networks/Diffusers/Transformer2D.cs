using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>
/// Transformer blocks over the pixels of [N, C, H, W] with a residual around them all, as in latent diffusion (Rombach et al. 2022,
/// section 3.3): self-attention, cross-attention to the context's tokens, feed-forward.
/// </summary>
internal sealed class Transformer2D : SpatialAttention
{
    private const double Epsilon = 1e-6;
    private readonly GroupNorm norm;
    private readonly nn.Module<Tensor, Tensor> proj_in, proj_out;
    private readonly ModuleList<TransformerBlock> transformer_blocks = new();
    private readonly bool linear;

    /// <param name="channels">Channels C.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="context">Width of the context's tokens.</param>
    /// <param name="blocks">Transformer blocks.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="linear">Whether the projections are linear layers rather than 1×1 convolutions.</param>
    public Transformer2D(long channels, long heads, long context, int blocks, int groups, bool linear) : base(nameof(Transformer2D))
    {
        if (heads < 1 || channels % heads != 0) throw new ArgumentException($"attention_head_dim {heads}, which is the number of heads, does not divide {channels} channels.", nameof(heads));
        this.linear = linear;
        norm = new(groups, channels, Epsilon);
        proj_in = linear ? new Linear(channels, channels) : new Conv2d(channels, channels, 1);
        proj_out = linear ? new Linear(channels, channels) : new Conv2d(channels, channels, 1);
        for (int i = 0; i < blocks; i++) transformer_blocks.Add(new(channels, heads, context));
        RegisterComponents();
    }

    public override string Name
    {
        get => base.Name;
        set
        {
            base.Name = value;
            for (int i = 0; i < transformer_blocks.Count; i++) transformer_blocks[i].Name = $"{value}.transformer_blocks.{i}";
        }
    }

    public override Tensor forward(Tensor x, AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var shape = x.shape;
        Tensor Rows(Tensor image) => image.permute(0, 2, 3, 1).reshape(shape[0], shape[2] * shape[3], shape[1]);
        Tensor Image(Tensor rows) => rows.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2);
        var h = norm.call(x);
        h = linear ? proj_in.call(Rows(h)) : Rows(proj_in.call(h));
        foreach (var block in transformer_blocks) h = block.Run(h, shape[2], shape[3], input);
        h = linear ? Image(proj_out.call(h)) : proj_out.call(Image(h));
        // The residual comes first so that the sum keeps its memory layout.
        return (x + h).MoveToOuterDisposeScope();
    }
}

/// <summary>x + self(norm₁ x), then + cross(norm₂ x), then + feed-forward(norm₃ x), for [N, pixels, C].</summary>
internal sealed class TransformerBlock : nn.Module
{
    private readonly TorchSharp.Modules.LayerNorm norm1, norm2, norm3;
    private readonly HeadedAttention attn1, attn2;
    private readonly FeedForward ff;

    public TransformerBlock(long channels, long heads, long context) : base(nameof(TransformerBlock))
    {
        norm1 = nn.LayerNorm(channels);
        attn1 = new(channels, channels, heads);
        norm2 = nn.LayerNorm(channels);
        attn2 = new(channels, context, heads);
        norm3 = nn.LayerNorm(channels);
        ff = new(channels);
        RegisterComponents();
    }

    /// <summary>Its name in the network.</summary>
    public string Name { get; set; } = "";

    public Tensor Run(Tensor x, long height, long width, AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var h = norm1.call(x);
        x = x + attn1.Run(h, h, null, new($"{Name}.attn1", height, width), input.Control);
        x = x + attn2.Run(norm2.call(x), input.Context!, input.Bias, new($"{Name}.attn2", height, width, Cross: true), input.Control);
        return (x + ff.call(norm3.call(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention of [N, pixels, C] to tokens [N, L, width], with as many heads as are asked for.</summary>
internal sealed class HeadedAttention : nn.Module
{
    private readonly Linear to_q, to_k, to_v;
    private readonly ModuleList<Linear> to_out;
    private readonly long heads;

    public HeadedAttention(long channels, long context, long heads, bool bias = false) : base(nameof(HeadedAttention))
    {
        this.heads = heads;
        to_q = new(channels, channels, bias);
        to_k = new(context, channels, bias);
        to_v = new(context, channels, bias);
        to_out = new(new Linear(channels, channels));
        RegisterComponents();
    }

    public Tensor Run(Tensor x, Tensor tokens, Tensor? bias, AttentionSite site, AttentionControl? control)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(Tensor rows) => rows.view(rows.size(0), rows.size(1), heads, -1).transpose(1, 2);
        var (q, k, v) = (Heads(to_q.call(x)), Heads(to_k.call(tokens)), Heads(to_v.call(tokens)));
        var mixed = control?.At(site, q, k, v) ?? Attention.Of(q, k, v, bias);
        return to_out[0].call(mixed.transpose(1, 2).reshape(x.shape)).MoveToOuterDisposeScope();
    }
}

/// <summary>W₂ f(W₁ x), four times as wide inside; f W₁ is a · gelu(b) with (a, b) = W₁ x (GEGLU, Shazeer 2020) unless another is given.</summary>
internal sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    // diffusers' list of three, the second of which, dropout, has no weights.
    private readonly ModuleList<nn.Module<Tensor, Tensor>> net;

    public FeedForward(long channels, nn.Module<Tensor, Tensor>? first = null) : base(nameof(FeedForward))
    {
        net = new(first ?? new GatedLinear(channels, 4 * channels), nn.Identity(), new Linear(4 * channels, channels));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return net[2].call(net[0].call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>a · gelu(b) with (a, b) = W x.</summary>
internal sealed class GatedLinear : nn.Module<Tensor, Tensor>
{
    private readonly Linear proj;

    public GatedLinear(long inputs, long outputs) : base(nameof(GatedLinear))
    {
        proj = new(inputs, 2 * outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var parts = proj.call(x).chunk(2, -1);
        return (parts[0] * nn.functional.gelu(parts[1])).MoveToOuterDisposeScope();
    }
}
