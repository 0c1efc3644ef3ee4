using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A residual multilayer perceptron for vectors, such as points of the plane, features or latent codes: each block adds
/// W₂ silu(W₁ ((1 + s(e)) LayerNorm(h) + b(e))), where the embedding e of noise level and class gives scale s and shift b.
/// </summary>
/// <remarks>
/// <c>forward(x [N, dimensions], noise [N], condition)</c> gives [N, dimensions]. The noise may be in integer steps
/// (0 to 1000), in ln σ / 4, or a time in [0, 1]. The condition's labels are int64 [N]; −1 is "no class".
/// </remarks>
public sealed class ResidualMlp : Network
{
    private readonly NoiseClassEmbedding embedding;
    private readonly Linear proj_in, proj_out;
    private readonly ModuleList<MlpBlock> blocks = new();
    private readonly ModulatedNorm norm_out;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="zeroOutput">Whether the last layer starts at zero, so that the untrained network answers zero.</param>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public ResidualMlp(ResidualMlpConfig config, bool zeroOutput = false) : base(nameof(ResidualMlp))
    {
        config.Validate();
        Config = config;
        embedding = new(config.Hidden, config.Hidden, config.ClassCount, nameof(ResidualMlp));
        proj_in = new(config.Dimensions, config.Hidden);
        for (int i = 0; i < config.Blocks; i++) blocks.Add(new(config.Hidden));
        norm_out = new(config.Hidden, config.Hidden);
        proj_out = new(config.Hidden, config.Dimensions);
        if (zeroOutput) proj_out.Zero();
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public ResidualMlpConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        if (x.dim() != 2 || x.shape[1] != Config.Dimensions)
            throw new ArgumentException($"ResidualMlp: the input is [{string.Join(", ", x.shape)}], expected [N, {Config.Dimensions}].", nameof(x));
        using var scope = NewDisposeScope();
        var e = embedding.call(x, noise, condition);
        var h = proj_in.call(x);
        foreach (var block in blocks)
        {
            using var before = h;
            h = block.call(h, e);
        }
        return proj_out.call(Activation.SiLU.Consume(norm_out.call(h, e))).MoveToOuterDisposeScope();
    }
}

/// <summary>h + W₂ silu(W₁ norm(h, e)) for h [N, width] and e [N, width].</summary>
internal sealed class MlpBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly ModulatedNorm norm;
    private readonly Linear linear_1, linear_2;

    public MlpBlock(long width) : base(nameof(MlpBlock))
    {
        norm = new(width, width);
        linear_1 = new(width, width);
        linear_2 = new(width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor h, Tensor e)
    {
        using var scope = NewDisposeScope();
        var inner = Activation.SiLU.Consume(linear_1.call(norm.call(h, e)));
        return linear_2.call(inner).add_(h).MoveToOuterDisposeScope();
    }
}

/// <summary>(1 + s) LayerNorm(h) + b, where one linear layer of the embedding gives s and b; h and e are [N, width], or broadcast together.</summary>
internal sealed class ModulatedNorm : nn.Module<Tensor, Tensor, Tensor>
{
    private const double Epsilon = 1e-5;
    private readonly Linear proj;
    private readonly long width;

    public ModulatedNorm(long width, long embedding, bool zero = false) : base(nameof(ModulatedNorm))
    {
        this.width = width;
        proj = new(embedding, 2 * width);
        if (zero) proj.Zero();
        RegisterComponents();
    }

    public override Tensor forward(Tensor h, Tensor e)
    {
        using var scope = NewDisposeScope();
        var parts = proj.call(e).chunk(2, -1);
        var normed = nn.functional.layer_norm(h, [width], eps: Epsilon);
        return parts[1].addcmul(normed, parts[0] + 1, 1).MoveToOuterDisposeScope();
    }
}
