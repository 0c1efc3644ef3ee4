using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using LayerNorm = Langevin.Networks.Layers.LayerNorm;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks.Clip;

/// <summary>The layers between embedding and last norm, of text and vision alike.</summary>
internal sealed class ClipEncoder : nn.Module
{
    private readonly Layers.ModuleList<ClipLayer> layers = new();

    public ClipEncoder(int count, long width, long inner, long heads, double epsilon, string activation) : base(nameof(ClipEncoder))
    {
        for (int i = 0; i < count; i++) layers.Add(new(width, inner, heads, epsilon, activation));
        RegisterComponents();
    }

    /// <summary>The states before the first layer and after each.</summary>
    public IReadOnlyList<Tensor> Run(Tensor h, bool causal)
    {
        var states = new List<Tensor> { h };
        foreach (var layer in layers) states.Add(layer.Run(states[^1], causal));
        return states;
    }
}

/// <summary>x + attention(norm₁ x), then + W₂ act(W₁ norm₂ x), for [N, L, width].</summary>
internal sealed class ClipLayer : nn.Module
{
    private readonly ClipAttention self_attn;
    private readonly LayerNorm layer_norm1, layer_norm2;
    private readonly ClipMlp mlp;

    public ClipLayer(long width, long inner, long heads, double epsilon, string activation) : base(nameof(ClipLayer))
    {
        self_attn = new(width, heads);
        layer_norm1 = new(width, epsilon);
        mlp = new(width, inner, activation);
        layer_norm2 = new(width, epsilon);
        RegisterComponents();
    }

    public Tensor Run(Tensor x, bool causal)
    {
        using var scope = NewDisposeScope();
        x = x + self_attn.Run(layer_norm1.call(x), causal);
        return (x + mlp.call(layer_norm2.call(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention with projections of their own for queries, keys and values.</summary>
internal sealed class ClipAttention : nn.Module
{
    private readonly Linear k_proj, v_proj, q_proj, out_proj;
    private readonly long heads;

    public ClipAttention(long width, long heads) : base(nameof(ClipAttention))
    {
        this.heads = heads;
        (k_proj, v_proj, q_proj, out_proj) = (new(width, width), new(width, width), new(width, width), new(width, width));
        RegisterComponents();
    }

    public Tensor Run(Tensor x, bool causal)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(Tensor rows) => rows.view(rows.size(0), rows.size(1), heads, -1).transpose(1, 2);
        var mixed = nn.functional.scaled_dot_product_attention(Heads(q_proj.call(x)), Heads(k_proj.call(x)), Heads(v_proj.call(x)), is_casual: causal);
        return out_proj.call(mixed.transpose(1, 2).reshape(x.shape)).MoveToOuterDisposeScope();
    }
}

/// <summary>W₂ act(W₁ x).</summary>
internal sealed class ClipMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1, fc2;
    private readonly Func<Tensor, Tensor> activation;

    public ClipMlp(long width, long inner, string activation) : base(nameof(ClipMlp))
    {
        this.activation = activation switch
        {
            "quick_gelu" => x => x * (1.702 * x).sigmoid(),
            "gelu" => nn.functional.gelu,
            _ => throw new ArgumentException($"hidden_act '{activation}' is unknown: use quick_gelu or gelu.", nameof(activation)),
        };
        (fc1, fc2) = (new(width, inner), new(inner, width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return fc2.call(activation(fc1.call(x))).MoveToOuterDisposeScope();
    }
}
