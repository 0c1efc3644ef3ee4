using static TorchSharp.torch;

namespace Langevin.Metrics.Signals;

/// <summary>
/// The mel-cepstrum by bands: ln A of each mel band's amplitude A as c₀ + Σ c_m cos(π m (k + ½) / K) over the bands k (Davis and
/// Mermelstein 1980, IEEE TASSP 28), a DCT-II scaled so that this series is exact when all K coefficients are kept.
/// </summary>
/// <remarks>
/// This is not the all-pole mel-cepstrum of SPTK and WORLD: distortions of one are not comparable with those of the other.
/// </remarks>
public static class MelCepstrum
{
    /// <summary>c₀ to c_C of every frame, [N, F, C + 1], float64.</summary>
    /// <param name="signal">[N, T] or [N, 1, T], at least one window long.</param>
    /// <param name="sampleRate">In Hz.</param>
    /// <param name="coefficients">C, coefficients after c₀, fewer than the bands.</param>
    /// <param name="options">Frames and bands.</param>
    public static Tensor Of(Tensor signal, double sampleRate, int coefficients = 13, MelOptions? options = null)
    {
        options ??= new();
        if (coefficients < 1 || coefficients >= options.Bands)
            throw new ArgumentOutOfRangeException(nameof(coefficients), coefficients, $"of {options.Bands} bands from 1 to {options.Bands - 1} are possible");
        using var scope = NewDisposeScope();
        // ln A = ½ ln P.
        var level = MelSpectrum.Log(signal, sampleRate, options) * 0.5;
        return nn.functional.linear(level, Cosines(coefficients, options.Bands).to(level.device)).MoveToOuterDisposeScope();
    }

    /// <summary>The rows of the cosine transform, [C + 1, K].</summary>
    private static Tensor Cosines(int coefficients, int bands) => WrappedTensorDisposeScope(() =>
    {
        var m = arange(coefficients + 1, float64).unsqueeze(1);
        var k = arange(bands, float64).unsqueeze(0) + 0.5;
        var weight = where(m.eq(0), ones_like(m), ones_like(m) * 2) / bands;
        return (m * k * (Math.PI / bands)).cos() * weight;
    });
}
