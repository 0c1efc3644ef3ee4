using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Halving and doubling of images [N, C, H, W] with a separable low-pass filter, zero beyond the border.</summary>
internal static class FirResample
{
    /// <summary>The kernel of the taps' outer product, normalised to sum one: [1, 1, k, k].</summary>
    public static Tensor Kernel(IReadOnlyList<double> taps)
    {
        double total = taps.Sum();
        int k = taps.Count;
        var values = new float[k * k];
        for (int i = 0; i < k * k; i++) values[i] = (float)(taps[i / k] * taps[i % k] / (total * total));
        return tensor(values, [1, 1, k, k]);
    }

    /// <summary>Filters, then keeps every second sample.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <param name="kernel">[1, 1, k, k] with k even, summing to one.</param>
    /// <param name="padding">Zeros around the image; null for as many as halve its size.</param>
    public static Tensor Down(Tensor x, Tensor kernel, long? padding = null) => Depthwise(x, kernel, (weight, channels, pad) =>
        nn.functional.conv2d(x, weight, strides: [2, 2], padding: [padding ?? pad, padding ?? pad], groups: channels));

    /// <summary>Puts zeros between samples, then filters with four times the kernel.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <param name="kernel">[1, 1, k, k] with k even, summing to one.</param>
    public static Tensor Up(Tensor x, Tensor kernel) => Depthwise(x, kernel, (weight, channels, pad) =>
    {
        using var gained = weight * 4;
        return nn.functional.conv_transpose2d(x, gained, strides: [2, 2], padding: [pad, pad], groups: channels);
    });

    private static Tensor Depthwise(Tensor x, Tensor kernel, Func<Tensor, long, long, Tensor> apply)
    {
        long channels = x.shape[1], k = kernel.shape[2];
        using var typed = kernel.to(x.dtype, x.device);
        using var weight = typed.expand(channels, 1, k, k);
        return apply(weight, channels, (k - 1) / 2);
    }
}
