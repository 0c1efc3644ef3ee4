using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv1d = Langevin.Networks.Layers.Conv1d;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks.Sequences;

/// <summary>(x + r)/√2 and s with (r, s) = W (σ(a) tanh(b)), (a, b) the dilated convolution of x and the step, and of the spectrogram.</summary>
internal sealed class WaveLayer : nn.Module
{
    private readonly Conv1d dilated_conv, output_projection;
    private readonly Conv1d? conditioner_projection;
    private readonly Linear diffusion_projection;

    public WaveLayer(long channels, long dilation, long? bands) : base(nameof(WaveLayer))
    {
        dilated_conv = new(channels, 2 * channels, 3, padding: dilation, dilation: dilation);
        diffusion_projection = new(WaveStep.Width, channels);
        if (bands is { } b) conditioner_projection = new(b, 2 * channels, 1);
        output_projection = new(channels, 2 * channels, 1);
        RegisterComponents();
    }

    public (Tensor X, Tensor Skip) Run(Tensor x, Tensor step, Tensor? frames)
    {
        using var scope = NewDisposeScope();
        var y = dilated_conv.call(x + diffusion_projection.call(step).unsqueeze(-1));
        if (conditioner_projection is not null) y = y + conditioner_projection.call(frames!);
        var parts = y.chunk(2, 1);
        parts = output_projection.call(parts[0].sigmoid() * parts[1].tanh()).chunk(2, 1);
        return (((x + parts[0]) / Math.Sqrt(2)).MoveToOuterDisposeScope(), parts[1].MoveToOuterDisposeScope());
    }
}

/// <summary>A step's vector, [N, 512]: sines and cosines at frequencies from 1 to 10⁴, between whole steps on the straight line, through two layers.</summary>
internal sealed class WaveStep : nn.Module
{
    public const long Width = 512;
    private readonly Linear projection1, projection2;
    private readonly int steps;

    public WaveStep(int steps) : base(nameof(WaveStep))
    {
        this.steps = steps;
        (projection1, projection2) = (new(128, Width), new(Width, Width));
        RegisterComponents();
    }

    public Tensor Run(Tensor step, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        // Angles reach 5 · 10⁵: only exponents rounded to single precision give the reference's.
        var rates = pow(10.0, (arange(64, ScalarType.Float32, step.device) * 4.0 / 63.0).to(ScalarType.Float64)).to(ScalarType.Float32);
        Tensor Features(Tensor n) { var angle = n.unsqueeze(1) * rates; return cat([angle.sin(), angle.cos()], 1); }
        var t = step.to(ScalarType.Float32).clamp(0, steps - 1);
        var low = t.floor();
        var features = Features(low);
        features = features + (Features(t.ceil()) - features) * (t - low).unsqueeze(1);
        return projection2.call(projection1.call(features.to(dtype)).silu()).silu().MoveToOuterDisposeScope();
    }
}

/// <summary>Frames of a spectrogram, [N, bands, F], to samples, [N, bands, 256 F]: twice sixteenfold in time.</summary>
internal sealed class SpectrogramUpsampler : nn.Module<Tensor, Tensor>
{
    public const int Factor = 256;
    private readonly TimeStretch conv1 = new(), conv2 = new();

    public SpectrogramUpsampler() : base(nameof(SpectrogramUpsampler)) => RegisterComponents();

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return nn.functional.leaky_relu(conv2.call(nn.functional.leaky_relu(conv1.call(x.unsqueeze(1)), 0.4)), 0.4).squeeze(1).MoveToOuterDisposeScope();
    }

    private sealed class TimeStretch : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight, bias;

        public TimeStretch() : base(nameof(TimeStretch))
        {
            double bound = 1 / Math.Sqrt(3 * 32);
            (weight, bias) = (nn.Parameter(empty(1, 1, 3, 32).uniform_(-bound, bound)), nn.Parameter(empty(1).uniform_(-bound, bound)));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => nn.functional.conv_transpose2d(x, weight, bias, [1, 16], [1, 8]);
    }
}
