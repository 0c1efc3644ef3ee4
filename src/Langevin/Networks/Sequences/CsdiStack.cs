using Langevin.Networks.Layers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace Langevin.Networks.Sequences;

/// <summary>CSDI's residual blocks between two maps of channels; the channel runs last here, [N, K, L, C], where the original has it second.</summary>
internal sealed class CsdiStack : nn.Module
{
    private readonly StepEmbedding diffusion_embedding;
    private readonly Pointwise input_projection, output_projection1, output_projection2;
    private readonly ModuleList<CsdiBlock> residual_layers = new();

    public CsdiStack(CsdiConfig config) : base(nameof(CsdiStack))
    {
        diffusion_embedding = new(config.DiffusionEmbeddingDim);
        input_projection = new(config.IsUnconditional ? 1 : 2, config.Channels);
        for (int i = 0; i < config.Layers; i++) residual_layers.Add(new(config));
        output_projection1 = new(config.Channels, config.Channels);
        output_projection2 = new(config.Channels, 1);
        output_projection2.ZeroWeight();
        RegisterComponents();
    }

    /// <summary>[N, K, L, 1] of the input [N, K, L, 1 or 2], the side information and the steps [N].</summary>
    public Tensor Run(Tensor input, SideInformation side, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var step = diffusion_embedding.call(noise, input.dtype);
        var x = input_projection.call(input).relu_();
        Tensor? skips = null;
        foreach (var block in residual_layers)
        {
            using var before = x;
            (x, var skip) = block.Run(x, side, step);
            if (skips is null) skips = skip;
            else using (skip) skips = is_grad_enabled() ? skips + skip : skips.add_(skip);
        }
        var h = output_projection1.call(skips! * (1 / Math.Sqrt(residual_layers.Count))).relu_();
        return output_projection2.call(h).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// One block: the step's vector added, a transformer over time for each feature, one over features for each time, the side information
/// added, a gate, and what goes on (added to the input, over √2) and what is skipped to the end.
/// </summary>
internal sealed class CsdiBlock : nn.Module
{
    private readonly Linear diffusion_projection;
    private readonly Pointwise cond_projection, mid_projection, output_projection;
    private readonly TransformerEncoder time_layer;
    private readonly TransformerEncoder? feature_layer;

    public CsdiBlock(CsdiConfig config) : base(nameof(CsdiBlock))
    {
        int c = config.Channels;
        diffusion_projection = new(config.DiffusionEmbeddingDim, c);
        cond_projection = new(config.Timeemb + config.Featureemb + (config.IsUnconditional ? 0 : 1), 2 * c);
        mid_projection = new(c, 2 * c);
        output_projection = new(c, 2 * c);
        time_layer = new(c, config.Nheads, config.DimFeedforward, 1, config.Dropout);
        if (config.FeatureAttention) feature_layer = new(c, config.Nheads, config.DimFeedforward, 1, config.Dropout);
        RegisterComponents();
    }

    /// <summary>What goes on and what is skipped, each [N, K, L, C] as x, for the step's vector [N, E].</summary>
    public (Tensor Next, Tensor Skip) Run(Tensor x, SideInformation side, Tensor step)
    {
        using var scope = NewDisposeScope();
        long n = x.shape[0], k = x.shape[1], length = x.shape[2], c = x.shape[3];
        var y = x + diffusion_projection.call(step).view(n, 1, 1, c);
        // A sequence of one has nothing to attend to: the original passes it on.
        if (length > 1) y = time_layer.call(y.view(n * k, length, c)).view(n, k, length, c);
        if (k > 1 && feature_layer is not null)
            y = feature_layer.call(y.transpose(1, 2).reshape(n * length, k, c)).view(n, length, k, c).transpose(1, 2);
        var parts = (mid_projection.call(y) + Side(side)).chunk(2, -1);
        var (on, skip) = output_projection.call(parts[0].sigmoid() * parts[1].tanh()).chunk(2, -1) switch { var halves => (halves[0], halves[1]) };
        return (((x + on) * (1 / Math.Sqrt(2))).MoveToOuterDisposeScope(), skip.MoveToOuterDisposeScope());
    }

    // The projection of (time, feature, mask) at each place is a sum of one of each: none needs to be made K L times over.
    private Tensor Side(SideInformation side)
    {
        if (side.Whole is { } whole) return cond_projection.call(whole);
        long t = side.Times.shape[2], f = side.Features.shape[1];
        var ofTime = cond_projection.Part(side.Times, 0, bias: false).unsqueeze(1);
        var ofFeature = cond_projection.Part(side.Features, t, bias: true).unsqueeze(1);
        var both = ofTime + ofFeature;
        return side.Mask is null ? both : both.addcmul(side.Mask, cond_projection.Column(t + f), 1);
    }
}

/// <summary>
/// Two layers of sines and cosines of the diffusion step. The angles are float32's whatever the network's type, as it was trained: they
/// reach 10⁴ a step, where another rounding is another number.
/// </summary>
internal sealed class StepEmbedding : nn.Module<Tensor, ScalarType, Tensor>
{
    private readonly Linear projection1, projection2;
    private readonly long half;

    public StepEmbedding(long width) : base(nameof(StepEmbedding))
    {
        half = width / 2;
        projection1 = new(width, width);
        projection2 = new(width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor step, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var exponent = arange(half, ScalarType.Float32, step.device) / (half - 1) * 4;
        var angle = step.to(ScalarType.Float32).unsqueeze(1) * pow(10.0, exponent.to(ScalarType.Float64)).to(ScalarType.Float32);
        var features = cat([angle.sin(), angle.cos()], 1).to(type);
        return projection2.call(projection1.call(features).silu_()).silu_().MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution of kernel 1, its weight [out, in, 1], on [..., in]; He's normal initialisation.</summary>
internal sealed class Pointwise : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias;

    public Pointwise(long inputs, long outputs) : base(nameof(Pointwise))
    {
        double bound = 1 / Math.Sqrt(inputs);
        weight = nn.Parameter(empty(outputs, inputs, 1).normal_(0, Math.Sqrt(2.0 / inputs)));
        bias = nn.Parameter(empty(outputs).uniform_(-bound, bound));
        RegisterComponents();
    }

    public void ZeroWeight()
    {
        using var _ = no_grad();
        weight.zero_();
    }

    public override Tensor forward(Tensor x) => nn.functional.linear(x, weight.squeeze(2), bias);

    /// <summary>The share of some inputs, those from <paramref name="first"/> on, in the result.</summary>
    public Tensor Part(Tensor x, long first, bool bias) =>
        nn.functional.linear(x, weight.squeeze(2).narrow(1, first, x.shape[^1]), bias ? this.bias : null);

    /// <summary>What one input of 1 gives, [out].</summary>
    public Tensor Column(long index) => weight.select(2, 0).select(1, index);
}
