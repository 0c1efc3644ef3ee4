using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>
/// A transformer over sequences of channels [N, C, L], such as tokens of C states: attention by rotary positions, and blocks whose two norms are scaled and shifted by the
/// noise level and the class. It starts at zero output, where all states are alike.
/// </summary>
/// <remarks><c>forward(x [N, C, L], noise [N], condition)</c> gives [N, C', L].</remarks>
public sealed class TokenTransformer : Network
{
    private readonly TokenTransformerConfig config;
    private readonly NoiseClassEmbedding embedding;
    private readonly Linear proj_in, proj_out;
    private readonly Layers.ModuleList<TransformerBlock> blocks = new();

    /// <summary>A network as initialised.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public TokenTransformer(TokenTransformerConfig config) : base(nameof(TokenTransformer))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        this.config = config;
        embedding = new(config.Width, config.Width, config.ClassCount, nameof(TokenTransformer));
        proj_in = new(config.Channels, config.Width);
        proj_in.Normal();
        for (int i = 0; i < config.Blocks; i++) blocks.Add(new(config));
        proj_out = new(config.Width, config.OutChannels ?? config.Channels);
        proj_out.Zero();
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public TokenTransformerConfig Config => config;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        if (x.dim() != 3 || x.size(1) != config.Channels || x.size(2) > config.Length)
            throw new ArgumentException($"TokenTransformer: the input is [{string.Join(", ", x.shape)}], expected [N, {config.Channels}, L] with L at most {config.Length}.", nameof(x));
        using var scope = NewDisposeScope();
        var e = embedding.call(x, noise, condition);
        var h = proj_in.call(x.transpose(1, 2));
        var rotary = new Rotary(x.size(2), config.Width / config.Heads, x.device, h.dtype);
        foreach (var block in blocks) h = block.call(h, e, rotary);
        return proj_out.call(nn.functional.layer_norm(h, [config.Width])).transpose(1, 2).MoveToOuterDisposeScope();
    }
}

/// <summary>h + attention(norm(h, e)), then h + W₂ gelu(W₁ norm(h, e)), for h [N, L, width] and e [N, width].</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor, Rotary, Tensor>
{
    private readonly Linear to_qkv, to_out, linear_1, linear_2;
    private readonly ModulatedNorm norm_1, norm_2;
    private readonly long heads, width;
    private readonly bool causal;

    public TransformerBlock(TokenTransformerConfig config) : base(nameof(TransformerBlock))
    {
        (heads, width, causal) = (config.Heads, config.Width, config.Causal);
        to_qkv = new(width, 3 * width);
        to_out = new(width, width);
        linear_1 = new(width, 4 * width);
        linear_2 = new(4 * width, width);
        (norm_1, norm_2) = (new(width, width, zero: true), new(width, width, zero: true));
        RegisterComponents();
    }

    public override Tensor forward(Tensor h, Tensor e, Rotary rotary)
    {
        using var scope = NewDisposeScope();
        e = e.unsqueeze(1);
        var attended = h + Attend(norm_1.call(h, e), rotary);
        return (attended + linear_2.call(nn.functional.gelu(linear_1.call(norm_2.call(attended, e))))).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor h, Rotary rotary)
    {
        long n = h.size(0), length = h.size(1);
        var parts = to_qkv.call(h).view(n, length, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0);
        var mixed = nn.functional.scaled_dot_product_attention(rotary.Turn(parts[0]), rotary.Turn(parts[1]), parts[2], is_casual: causal);
        return to_out.call(mixed.transpose(1, 2).reshape(n, length, width));
    }
}
