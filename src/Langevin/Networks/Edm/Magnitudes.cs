using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>Operations of EDM2 (Karras et al. 2024, appendix B) that keep the expected magnitude of what they are given.</summary>
internal static class Magnitudes
{
    private const double Epsilon = 1e-4;

    /// <summary>x divided by its root mean square over some dimensions (equation 47); over all but the first when none is given.</summary>
    public static Tensor Normalise(Tensor x, params long[] dimensions)
    {
        using var scope = NewDisposeScope();
        long[] over = dimensions.Length > 0 ? dimensions : [.. Enumerable.Range(1, (int)Math.Max(0, x.dim() - 1)).Select(d => (long)d)];
        var norm = x.to(ScalarType.Float32.Widened(x.dtype)).square().sum(over, keepdim: true).sqrt();
        double share = Math.Sqrt((double)norm.numel() / x.numel());
        return (x / (norm * share + Epsilon).to(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>silu(x) / 0.596 (equation 81).</summary>
    public static Tensor SiLU(Tensor x) => WrappedTensorDisposeScope(() => x.silu() / 0.596);

    /// <summary>(1 − t) a + t b, scaled (equation 88).</summary>
    public static Tensor Sum(Tensor a, Tensor b, double t) => WrappedTensorDisposeScope(() => (a + t * (b - a)) / Math.Sqrt((1 - t) * (1 - t) + t * t));

    /// <summary>a and b side by side, weighed so that t is b's share whatever its width (equation 103).</summary>
    public static Tensor Cat(Tensor a, Tensor b, double t)
    {
        double na = a.size(1), nb = b.size(1), c = Math.Sqrt((na + nb) / ((1 - t) * (1 - t) + t * t));
        return WrappedTensorDisposeScope(() => cat([c / Math.Sqrt(na) * (1 - t) * a, c / Math.Sqrt(nb) * t * b], 1));
    }

    private static ScalarType Widened(this ScalarType least, ScalarType own) => own == ScalarType.Float64 ? own : least;
}

/// <summary>√2 cos(2π f t + φ) with fixed f and φ (equation 75), [N] to [N, width].</summary>
internal sealed class MagnitudeFourier : nn.Module<Tensor, Tensor>
{
    private readonly Tensor freqs, phases;

    public MagnitudeFourier(long width, double bandwidth = 1) : base(nameof(MagnitudeFourier))
    {
        (freqs, phases) = (2 * Math.PI * bandwidth * randn(width), 2 * Math.PI * rand(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor t)
    {
        using var scope = NewDisposeScope();
        return ((t.unsqueeze(1) * freqs.to(t.dtype) + phases.to(t.dtype)).cos() * Math.Sqrt(2)).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution, or a matrix where the kernel has no size, whose weights are normalised for each output (equation 66) and kept so while it trains.</summary>
internal sealed class MagnitudeConv : nn.Module
{
    private readonly Parameter weight;

    public MagnitudeConv(long inputs, long outputs, params long[] kernel) : base(nameof(MagnitudeConv))
    {
        weight = UnsetWeights.Normal([outputs, inputs, .. kernel]);
        RegisterComponents();
    }

    public long Outputs => weight.size(0);

    public Tensor Run(Tensor x, Tensor? gain = null)
    {
        using var scope = NewDisposeScope();
        if (training)
        {
            using var still = no_grad();
            weight.copy_(Magnitudes.Normalise(weight));
        }
        var w = Magnitudes.Normalise(weight.to(x.dtype)) / Math.Sqrt(weight.numel() / weight.size(0));
        if (gain is not null) w = w * gain.to(x.dtype);
        return (w.dim() == 2 ? x.mm(w.t()) : nn.functional.conv2d(x, w, padding: [w.size(-1) / 2, w.size(-1) / 2])).MoveToOuterDisposeScope();
    }
}

/// <summary>A residual block of EDM2 (figure 21): of the encoder, which normalises each pixel first, or of the decoder.</summary>
internal sealed class Edm2Block : nn.Module
{
    private static readonly double[] Taps = [1, 1];

    private readonly Parameter emb_gain;
    private readonly MagnitudeConv conv_res0, conv_res1, emb_linear;
    private readonly MagnitudeConv? conv_skip, attn_qkv, attn_proj;
    private readonly bool decodes;
    private readonly Direction direction;
    private readonly long heads;
    private readonly Edm2UNetConfig config;

    public Edm2Block(long inputs, long outputs, long embedding, Edm2UNetConfig config, bool decodes, Direction direction = Direction.None, bool attention = false) : base(nameof(Edm2Block))
    {
        (this.config, this.decodes, this.direction) = (config, decodes, direction);
        emb_gain = nn.Parameter(zeros([]));
        conv_res0 = new(decodes ? inputs : outputs, outputs, 3, 3);
        emb_linear = new(embedding, outputs);
        conv_res1 = new(outputs, outputs, 3, 3);
        if (inputs != outputs) conv_skip = new(inputs, outputs, 1, 1);
        if (attention)
        {
            heads = outputs / config.ChannelsPerHead;
            if (heads * config.ChannelsPerHead != outputs) throw new ArgumentException($"Edm2UNet: channels_per_head {config.ChannelsPerHead} does not divide {outputs} channels.", nameof(config));
            (attn_qkv, attn_proj) = (new(outputs, 3 * outputs, 1, 1), new(outputs, outputs, 1, 1));
        }
        RegisterComponents();
    }

    public long Outputs => conv_res1.Outputs;

    public Tensor Run(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        if (direction != Direction.None)
        {
            using var kernel = FirResample.Kernel(Taps);
            x = direction == Direction.Down ? FirResample.Down(x, kernel) : FirResample.Up(x, kernel);
        }
        if (!decodes) x = Magnitudes.Normalise(conv_skip is null ? x : conv_skip.Run(x), 1);
        var gain = emb_linear.Run(embedding, emb_gain) + 1;
        var y = Magnitudes.SiLU(conv_res0.Run(Magnitudes.SiLU(x)) * gain.unsqueeze(2).unsqueeze(3));
        if (training && config.Dropout > 0) y = nn.functional.dropout(y, config.Dropout);
        y = conv_res1.Run(y);
        if (decodes && conv_skip is not null) x = conv_skip.Run(x);
        x = Magnitudes.Sum(x, y, config.ResBalance);
        if (heads > 0) x = Magnitudes.Sum(x, Attend(x), config.AttnBalance);
        if (config.ClipAct is { } limit) x = x.clamp(-limit, limit);
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor x)
    {
        long n = x.size(0), c = x.size(1), pixels = x.size(2) * x.size(3);
        var parts = Magnitudes.Normalise(attn_qkv!.Run(x).view(n, heads, c / heads, 3, pixels), 2).unbind(3);
        var (q, k, v) = (parts[0].transpose(2, 3), parts[1].transpose(2, 3), parts[2].transpose(2, 3));
        return attn_proj!.Run(Attention.Of(q, k, v).transpose(2, 3).reshape(x.shape));
    }
}
