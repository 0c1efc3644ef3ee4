using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Sequences;

/// <summary>What all blocks of one <see cref="UNet1D"/> share.</summary>
/// <param name="Embedding">Width E of the embedding.</param>
/// <param name="Groups">Groups of each norm.</param>
/// <param name="Dropout">Probability of dropping an activation.</param>
internal sealed record BlockOptions1D(int Embedding, int Groups, double Dropout)
{
    /// <summary>Added to the variance in norms.</summary>
    public const double Epsilon = 1e-5;
}

/// <summary>
/// Residual block: shortcut(x) + conv₂(silu((1 + s) norm₂(conv₁(silu(norm₁ x))) + b)) for x [N, C, L], where a linear layer
/// of the activated embedding [N, E] gives scale s and shift b.
/// </summary>
internal sealed class ResnetBlock1D : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv1d conv1, conv2;
    private readonly Conv1d? conv_shortcut;
    private readonly Linear time_emb_proj;
    private readonly double dropout;

    public ResnetBlock1D(int inputs, int outputs, BlockOptions1D options) : base(nameof(ResnetBlock1D))
    {
        dropout = options.Dropout;
        norm1 = new(options.Groups, inputs, BlockOptions1D.Epsilon);
        conv1 = new(inputs, outputs, 3, padding: 1);
        time_emb_proj = new(options.Embedding, 2 * outputs);
        norm2 = new(options.Groups, outputs, BlockOptions1D.Epsilon);
        conv2 = new(outputs, outputs, 3, padding: 1);
        if (inputs != outputs) conv_shortcut = new(inputs, outputs, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = conv1.call(Activation.SiLU.Consume(norm1.call(x)));
        var parts = time_emb_proj.call(embedding).unsqueeze(2).chunk(2, 1);
        h = Activation.SiLU.Consume(parts[1].addcmul(norm2.call(h), parts[0] + 1, 1));
        if (dropout > 0 && training) h = nn.functional.dropout(h, dropout);
        // A convolution does not need its own result for its gradient, so that may be overwritten.
        return conv2.call(h).add_(conv_shortcut is null ? x : conv_shortcut.call(x)).MoveToOuterDisposeScope();
    }
}
