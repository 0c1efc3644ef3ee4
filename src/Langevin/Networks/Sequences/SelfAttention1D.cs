using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Sequences;

/// <summary>Self-attention over the positions of [N, C, L], with a residual: x + out(softmax(q kᵀ/√d) v).</summary>
internal sealed class SelfAttention1D : nn.Module<Tensor, Tensor>
{
    private readonly GroupNorm norm;
    private readonly Conv1d to_qkv, to_out;
    private readonly long heads, width;

    public SelfAttention1D(int channels, int headWidth, int groups) : base(nameof(SelfAttention1D))
    {
        (heads, width) = (channels / headWidth, headWidth);
        norm = new(groups, channels, BlockOptions1D.Epsilon);
        to_qkv = new(channels, 3 * channels, 1);
        to_out = new(channels, channels, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long n = x.shape[0], c = x.shape[1], length = x.shape[2];
        var parts = to_qkv.call(norm.call(x)).view(n, 3, heads, width, length).transpose(3, 4).unbind(1);
        var mixed = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]);
        return to_out.call(mixed.transpose(2, 3).reshape(n, c, length)).add_(x).MoveToOuterDisposeScope();
    }
}
