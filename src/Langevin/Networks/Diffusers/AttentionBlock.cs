using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>Self-attention over the pixels of [N, C, H, W], with a residual: (x + out(softmax(qkᵀ/√d) v)) / scale.</summary>
internal sealed class AttentionBlock : SpatialAttention
{
    private readonly GroupNorm? group_norm;
    private readonly Linear to_q, to_k, to_v;
    private readonly ModuleList<Linear> to_out;
    private readonly long heads, width;
    private readonly double scale;

    public AttentionBlock(long channels, long headWidth, long? groups, double epsilon, double scale = 1) : base(nameof(AttentionBlock))
    {
        if (headWidth < 1 || channels % headWidth != 0)
            throw new ArgumentException($"attention_head_dim {headWidth} does not divide {channels} channels: choose a divisor, or null for a single head.", nameof(headWidth));
        (heads, width, this.scale) = (channels / headWidth, headWidth, scale);
        if (groups is { } g) group_norm = new(g, channels, epsilon);
        to_q = new(channels, channels);
        to_k = new(channels, channels);
        to_v = new(channels, channels);
        to_out = new(new Linear(channels, channels));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var shape = x.shape;
        long n = shape[0], c = shape[1], pixels = shape[2] * shape[3];
        var rows = (group_norm is null ? x : group_norm.call(x)).permute(0, 2, 3, 1).reshape(n, pixels, c);
        // Fused attention over so few pixels is slower in bfloat16 than in float32 on a CPU.
        if (x.dtype == ScalarType.BFloat16 && x.device_type == TorchSharp.DeviceType.CPU) rows = rows.to(ScalarType.Float32);
        Tensor Heads(Linear projection) => projection.call(rows).view(n, pixels, heads, width).transpose(1, 2);
        var (q, k, v) = (Heads(to_q), Heads(to_k), Heads(to_v));
        var mixed = input.Control?.At(new(Name, shape[2], shape[3]), q, k, v) ?? Attention.Of(q, k, v);
        var y = to_out[0].call(mixed.transpose(1, 2).reshape(n, pixels, c));
        // The residual comes first so that the sum keeps its memory layout.
        y = x + y.view(n, shape[2], shape[3], c).permute(0, 3, 1, 2).to(x.dtype);
        return (scale == 1 ? y : y.div_(scale)).MoveToOuterDisposeScope();
    }
}
