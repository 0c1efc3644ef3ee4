using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Edm;

/// <summary>Which way a convolution changes the resolution.</summary>
internal enum Direction { None, Up, Down }

/// <summary>A convolution of [N, C, H, W] that may halve or double the resolution with a low-pass filter; kernel 0 only resamples.</summary>
internal sealed class EdmConv2d : nn.Module<Tensor, Tensor>
{
    private readonly Parameter? weight, bias;
    private readonly Tensor? resample_filter;
    private readonly Direction direction;
    private readonly long padding;
    private readonly bool filterLast, box;

    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Side of the kernel, odd, or 0.</param>
    /// <param name="init">Draws the weights.</param>
    /// <param name="direction">Change of resolution.</param>
    /// <param name="taps">The one-dimensional filter; (1, 1) is a box.</param>
    /// <param name="filterLast">Whether a halving convolution filters its result rather than its input.</param>
    public EdmConv2d(long inputs, long outputs, long kernel, WeightInit init, Direction direction = Direction.None, IReadOnlyList<double>? taps = null, bool filterLast = false)
        : base(nameof(EdmConv2d))
    {
        (this.direction, this.filterLast, padding) = (direction, filterLast, kernel / 2);
        taps ??= [1, 1];
        box = taps.Count == 2 && taps[0] == taps[1];
        long fanIn = inputs * kernel * kernel, fanOut = outputs * kernel * kernel;
        if (kernel > 0)
        {
            weight = nn.Parameter(init.Draw([outputs, inputs, kernel, kernel], fanIn, fanOut, init.Weight));
            bias = nn.Parameter(init.Draw([outputs], fanIn, fanOut, init.Bias));
        }
        if (direction != Direction.None) resample_filter = FirResample.Kernel(taps);
        (Inputs, Outputs) = (inputs, outputs);
        RegisterComponents();
    }

    public long Inputs { get; }

    public long Outputs { get; }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (weight is null) return Resample(x).MoveToOuterDisposeScope();
        var w = weight.to(x.dtype);
        var b = bias!.to(x.dtype);
        Tensor y;
        if (direction == Direction.Up && box && padding == 1)
            y = UpsampleConv2d.Folded(x, w, b);
        else if (direction == Direction.Down && filterLast)
            // The filter comes last but reads beyond the border what the convolution makes of zeros there.
            y = FirResample.Down(nn.functional.conv2d(x, w, null, padding: [padding + Margin, padding + Margin]), resample_filter!, padding: 0).add_(b.view(1, -1, 1, 1));
        else
            y = nn.functional.conv2d(Resample(x), w, b, padding: [padding, padding]);
        return y.MoveToOuterDisposeScope();
    }

    private long Margin => (resample_filter!.size(-1) - 1) / 2;

    private Tensor Resample(Tensor x) => direction switch
    {
        Direction.Down => box ? nn.functional.avg_pool2d(x, 2, stride: 2) : FirResample.Down(x, resample_filter!),
        Direction.Up => box ? nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest) : FirResample.Up(x, resample_filter!),
        _ => x,
    };
}
