using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>What all blocks of one of EDM's U-Nets share.</summary>
/// <param name="Embedding">Width of the embedding.</param>
/// <param name="Dropout">Probability of dropping an activation.</param>
/// <param name="SkipScale">Multiplies each residual sum.</param>
/// <param name="Epsilon">Added to the variance in norms.</param>
/// <param name="Heads">Attention heads; null for one for each 64 channels.</param>
/// <param name="Taps">Resampling filter.</param>
/// <param name="ProjectResampled">Whether a block that changes resolution has weights in its shortcut even with as many channels.</param>
/// <param name="Adaptive">Whether the embedding scales and shifts after the second norm, rather than being added before it.</param>
/// <param name="Init">Draws most weights.</param>
/// <param name="InitZero">Draws those that should begin near zero.</param>
/// <param name="InitAttention">Draws queries, keys and values.</param>
internal sealed record UNetBlockOptions(long Embedding, double Dropout, double SkipScale, double Epsilon, int? Heads, IReadOnlyList<double> Taps,
    bool ProjectResampled, bool Adaptive, WeightInit Init, WeightInit InitZero, WeightInit InitAttention)
{
    public GroupNorm Norm(long channels) => new(Math.Min(32, Math.Max(channels / 4, 1)), channels, Epsilon);
}

/// <summary>The residual block of DDPM++, NCSN++ and ADM with optional resampling and self-attention (Karras et al. 2022, appendix F).</summary>
internal sealed class UNetBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm norm0, norm1;
    private readonly EdmConv2d conv0, conv1;
    private readonly EdmLinear affine;
    private readonly EdmConv2d? skip, qkv, proj;
    private readonly GroupNorm? norm2;
    private readonly UNetBlockOptions options;
    private readonly long heads;

    public UNetBlock(long inputs, long outputs, UNetBlockOptions options, Direction direction = Direction.None, bool attention = false) : base(nameof(UNetBlock))
    {
        (this.options, Inputs, Outputs) = (options, inputs, outputs);
        norm0 = options.Norm(inputs);
        conv0 = new(inputs, outputs, 3, options.Init, direction, options.Taps);
        affine = new(options.Embedding, options.Adaptive ? 2 * outputs : outputs, options.Init);
        norm1 = options.Norm(outputs);
        conv1 = new(outputs, outputs, 3, options.InitZero);
        if (inputs != outputs || direction != Direction.None)
            skip = new(inputs, outputs, options.ProjectResampled || inputs != outputs ? 1 : 0, options.Init, direction, options.Taps);
        heads = attention ? options.Heads ?? outputs / 64 : 0;
        if (heads > 0)
        {
            norm2 = options.Norm(outputs);
            qkv = new(outputs, 3 * outputs, 1, options.InitAttention);
            proj = new(outputs, outputs, 1, options.InitZero);
        }
        RegisterComponents();
    }

    public long Inputs { get; }

    public long Outputs { get; }

    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var act = Activation.SiLU;
        var h = conv0.call(act.Consume(norm0.call(x)));
        var e = affine.call(embedding).to(h.dtype).unsqueeze(2).unsqueeze(3);
        if (options.Adaptive)
        {
            var parts = e.chunk(2, 1);
            h = parts[1].addcmul(norm1.call(h), parts[0] + 1, 1);
        }
        else
            h = norm1.call(h.add_(e));
        h = act.Consume(h);
        if (options.Dropout > 0 && training) h = nn.functional.dropout(h, options.Dropout);
        h = conv1.call(h).add_(skip is null ? x : skip.call(x));
        if (options.SkipScale != 1) h = h.mul_(options.SkipScale);
        if (heads > 0) h = Attend(h);
        return h.MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor x)
    {
        var shape = x.shape;
        long n = shape[0], c = shape[1], pixels = shape[2] * shape[3];
        // Channels of qkv run over heads, then over a head's channels, then over query, key and value.
        var parts = qkv!.call(norm2!.call(x)).permute(0, 2, 3, 1).reshape(n, pixels, heads, c / heads, 3).permute(4, 0, 2, 1, 3).contiguous();
        var mixed = Attention.Of(parts[0], parts[1], parts[2]);
        mixed = mixed.transpose(1, 2).reshape(n, shape[2], shape[3], c).permute(0, 3, 1, 2);
        var y = proj!.call(mixed.to(x.dtype)).add_(x);
        return options.SkipScale == 1 ? y : y.mul_(options.SkipScale);
    }
}
