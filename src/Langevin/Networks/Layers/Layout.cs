using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Memory layout of images. Convolutions, norms and pointwise operations keep the layout of what they are given.</summary>
internal static class Layout
{
    /// <summary>The same [N, C, H, W] values with the channel running fastest in memory.</summary>
    public static Tensor ChannelsLast(Tensor x)
    {
        var shape = x.shape;
        // One channel: both layouts hold the same bytes, so only the strides must tell the convolution which one it is.
        if (shape[1] == 1 && x.is_contiguous() && !x.requires_grad)
            return x.as_strided(shape, [shape[2] * shape[3], 1, shape[3], 1]);
        using var last = x.permute(0, 2, 3, 1);
        using var packed = last.contiguous();
        return packed.permute(0, 3, 1, 2);
    }
}
