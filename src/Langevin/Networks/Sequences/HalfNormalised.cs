using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Sequences;

/// <summary>Pieces of <see cref="BridgedStreams"/>: convolutions of [N, C, L] that continue the signal by reflection, and their activation.</summary>
internal static class Reflecting
{
    public const double Slope = 0.2;

    /// <summary>A convolution of odd kernel that keeps the length.</summary>
    public static Tensor Apply(Conv1d conv, Tensor x, long reach)
    {
        using var wide = Pad(x, reach);
        return conv.call(wide);
    }

    public static Tensor Pad(Tensor x, long reach) => nn.functional.pad(x, [reach, reach], TorchSharp.PaddingModes.Reflect);

    public static Tensor Activate(Tensor x) => is_grad_enabled() ? nn.functional.leaky_relu(x, Slope) : nn.functional.leaky_relu(x, Slope, inplace: true);
}

/// <summary>
/// A half-normalised filter block (Li et al. 2022, DeScoD-ECG, figure 3): filters of 3, 5, 9 and 15 taps side by side, mixed; half of the
/// channels normalised over each signal, which takes its offset and amplitude out, half left as they are, which keeps them; mixed again,
/// and added to the input. C is a multiple of 4.
/// </summary>
internal sealed class HalfNormalisedBlock : nn.Module<Tensor, Tensor>
{
    private static readonly int[] Kernels = [3, 5, 9, 15];
    private const long Mix = 9;

    private readonly ModuleList<Conv1d> filters = new();
    private readonly Conv1d conv_1, conv_2;
    private readonly long channels, dilation;

    public HalfNormalisedBlock(int channels, int dilation) : base(nameof(HalfNormalisedBlock))
    {
        (this.channels, this.dilation) = (channels, dilation);
        foreach (int kernel in Kernels) filters.Add(new(channels, channels / 4, kernel, dilation: dilation));
        conv_1 = new(channels, channels, Mix);
        conv_2 = new(channels, channels, Mix);
        RegisterComponents();
    }

    /// <summary>How far the longest filter reaches; the signal must be longer.</summary>
    public static long Reach(long dilation) => Kernels[^1] / 2 * dilation;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        // All filters read one continued signal, each as much of it as it reaches.
        long longest = Reach(dilation), length = x.size(2);
        var wide = Reflecting.Pad(x, longest);
        var filtered = cat([.. filters.Select((f, i) =>
        {
            long reach = Kernels[i] / 2 * dilation;
            return f.call(wide.narrow(2, longest - reach, length + 2 * reach));
        })], 1);
        var halves = Reflecting.Apply(conv_1, filtered, Mix / 2).chunk(2, 1);
        var normal = nn.functional.group_norm(halves[0], channels / 2);
        var h = Reflecting.Activate(cat([normal, halves[1]], 1));
        h = Reflecting.Activate(Reflecting.Apply(conv_2, h, Mix / 2));
        return h.add_(x).MoveToOuterDisposeScope();
    }
}

/// <summary>From one stream to the other: a convolution, a scale and a shift by the noise level (FiLM), a convolution.</summary>
internal sealed class Bridge : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Conv1d conv_in, conv_out;
    private readonly Linear film;

    public Bridge(int channels, int embedding) : base(nameof(Bridge))
    {
        conv_in = new(channels, channels, 3);
        film = new(embedding, 2 * channels);
        conv_out = new(channels, channels, 3);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var parts = film.call(embedding).unsqueeze(2).chunk(2, 1);
        var h = parts[1].addcmul(Reflecting.Apply(conv_in, x, 1), parts[0] + 1, 1);
        return Reflecting.Apply(conv_out, h, 1).MoveToOuterDisposeScope();
    }
}
