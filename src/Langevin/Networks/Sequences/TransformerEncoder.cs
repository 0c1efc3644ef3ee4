using Langevin.Networks.Layers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace Langevin.Networks.Sequences;

/// <summary>PyTorch's <c>nn.TransformerEncoder</c> on [N, L, width]: its keys, its initialisation and its order, the norm after each sum.</summary>
internal sealed class TransformerEncoder : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<TransformerEncoderLayer> layers = new();

    public TransformerEncoder(long width, long heads, long hidden, int depth, double dropout) : base(nameof(TransformerEncoder))
    {
        for (int i = 0; i < depth; i++) layers.Add(new(width, heads, hidden, dropout));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var h = x;
        foreach (var layer in layers)
        {
            var next = layer.call(h);
            if (!ReferenceEquals(h, x)) h.Dispose();
            h = next;
        }
        return ReferenceEquals(h, x) ? x.alias() : h;
    }
}

/// <summary>norm(x + attention(x)), then norm(x + W₂ gelu(W₁ x)).</summary>
internal sealed class TransformerEncoderLayer : nn.Module<Tensor, Tensor>
{
    private readonly MultiheadAttention self_attn;
    private readonly Linear linear1, linear2;
    private readonly LayerNorm norm1, norm2;
    private readonly double dropout;

    public TransformerEncoderLayer(long width, long heads, long hidden, double dropout) : base(nameof(TransformerEncoderLayer))
    {
        this.dropout = dropout;
        self_attn = new(width, heads, dropout);
        linear1 = new(width, hidden);
        linear2 = new(hidden, width);
        norm1 = new(width);
        norm2 = new(width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = norm1.call(Dropped(self_attn.call(x)).add_(x));
        var inner = Dropped(nn.functional.gelu(linear1.call(h)));
        return norm2.call(Dropped(linear2.call(inner)).add_(h)).MoveToOuterDisposeScope();
    }

    private Tensor Dropped(Tensor x) => training && dropout > 0 ? nn.functional.dropout(x, dropout, training: true) : x;
}

/// <summary>PyTorch's <c>nn.MultiheadAttention</c> of a sequence with itself, [N, L, width].</summary>
internal sealed class MultiheadAttention : nn.Module<Tensor, Tensor>
{
    private readonly Parameter in_proj_weight, in_proj_bias;
    private readonly Linear out_proj;
    private readonly long heads;
    private readonly double dropout;

    public MultiheadAttention(long width, long heads, double dropout) : base(nameof(MultiheadAttention))
    {
        if (heads < 1 || width % heads != 0) throw new ArgumentException($"{heads} heads do not divide a width of {width}.", nameof(heads));
        (this.heads, this.dropout) = (heads, dropout);
        // Xavier's uniform bound √(6 / (fan-in + fan-out)) of the three maps as one, as PyTorch has it.
        double bound = Math.Sqrt(6.0 / (4 * width));
        in_proj_weight = nn.Parameter(empty(3 * width, width).uniform_(-bound, bound));
        in_proj_bias = nn.Parameter(zeros(3 * width));
        out_proj = new(width, width);
        out_proj.ZeroBias();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long n = x.shape[0], length = x.shape[1], width = x.shape[2];
        var parts = nn.functional.linear(x, in_proj_weight, in_proj_bias).view(n, length, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0);
        var mixed = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], p: training ? dropout : 0);
        return out_proj.call(mixed.transpose(1, 2).reshape(n, length, width)).MoveToOuterDisposeScope();
    }
}
