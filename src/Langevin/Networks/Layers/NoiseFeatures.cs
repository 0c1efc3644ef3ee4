using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Fixed features of a noise level, [N] to [N, width].</summary>
internal static class NoiseFeatures
{
    /// <summary>
    /// Sines and cosines of <paramref name="t"/> at frequencies 10000^(−i / (width/2 − shift)), computed in float32
    /// (float64 for a float64 <paramref name="t"/>); an odd width ends in a zero.
    /// </summary>
    /// <param name="t">[N], any real dtype.</param>
    /// <param name="width">Number of features.</param>
    /// <param name="shift">Subtracted from width/2 in the exponent: 0 or 1 in practice.</param>
    /// <param name="cosineFirst">Whether the cosines come before the sines.</param>
    /// <param name="period">Longest period over 2π.</param>
    public static Tensor Sinusoidal(Tensor t, long width, double shift = 0, bool cosineFirst = true, double period = 10000)
    {
        using var scope = NewDisposeScope();
        var type = t.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        long half = width / 2;
        var frequencies = (arange(half, type, t.device) * -Math.Log(period) / (half - shift)).exp();
        var angle = t.to(type).unsqueeze(1) * frequencies;
        var features = cat(cosineFirst ? [angle.cos(), angle.sin()] : [angle.sin(), angle.cos()], 1);
        if (width % 2 == 1) features = nn.functional.pad(features, [0, 1]);
        return features.MoveToOuterDisposeScope();
    }
}

/// <summary>Sines and cosines of ln t at fixed Gaussian frequencies (standard deviation 16), as diffusers' NCSN++ has them.</summary>
internal sealed class GaussianFourierProjection : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    // diffusers' checkpoints of this layer carry the same numbers twice (later versions once: see StateDict).
    private readonly Tensor W;

    public GaussianFourierProjection(long width, double scale) : base(nameof(GaussianFourierProjection))
    {
        weight = nn.Parameter(randn(width) * scale, requires_grad: false);
        W = weight.detach().clone();
        RegisterComponents();
    }

    public override Tensor forward(Tensor t)
    {
        using var scope = NewDisposeScope();
        var angle = t.to(weight.dtype).log().unsqueeze(1) * weight * 2 * Math.PI;
        return cat([angle.sin(), angle.cos()], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Sines and cosines of t at fixed Gaussian frequencies, as EDM's NCSN++ has them; the frequencies are a buffer.</summary>
internal sealed class FourierEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Tensor freqs;

    public FourierEmbedding(long width, double scale) : base(nameof(FourierEmbedding))
    {
        freqs = randn(width / 2) * scale;
        RegisterComponents();
    }

    public override Tensor forward(Tensor t)
    {
        using var scope = NewDisposeScope();
        var angle = t.unsqueeze(1) * (freqs * (2 * Math.PI)).to(t.dtype);
        return cat([angle.sin(), angle.cos()], 1).MoveToOuterDisposeScope();
    }
}
