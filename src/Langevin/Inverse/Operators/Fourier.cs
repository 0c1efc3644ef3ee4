using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Magnetic resonance with one coil: the orthonormal Fourier transform where a mask samples it, 0 elsewhere. A complex picture has two
/// channels (real, imaginary), a real one has one; y is [N, 2, H, W].
/// </summary>
public sealed class MaskedFourier : SpectralOperator
{
    private readonly Constant mask, singular;
    private readonly bool realPicture;

    /// <summary>Masked Fourier sampling.</summary>
    /// <param name="mask">[H, W]: not 0 where a frequency is sampled; frequency 0 at [0, 0].</param>
    /// <param name="real">Whether pictures are real, of one channel.</param>
    public MaskedFourier(Tensor mask, bool real = false)
    {
        using var scope = NewDisposeScope();
        realPicture = real;
        var m = FourierMask.Checked(mask);
        this.mask = Hold(m);
        // Of a real picture a frequency is known from itself and from its mirror image.
        singular = Hold(real ? (0.5 * (m + Mirror(m))).sqrt() : m);
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x)
    {
        Check(x, realPicture ? 1 : 2, singular.For(x).shape[0], singular.For(x).shape[1]);
        return WrappedTensorDisposeScope(() => fft.fft2(realPicture ? x : FourierMask.Complex(x), norm: FFTNormType.Ortho));
    }

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => WrappedTensorDisposeScope(() =>
    {
        var picture = fft.ifft2(c, norm: FFTNormType.Ortho);
        return realPicture ? real(picture) : FourierMask.Channels(picture);
    });

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => WrappedTensorDisposeScope(() => FourierMask.Channels(mask.For(c) / singular.For(c).clamp_min(0.5) * c));

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => WrappedTensorDisposeScope(() =>
    {
        var z = mask.For(y) * FourierMask.Complex(y);
        return (realPicture ? 0.5 * (z + Mirror(z).conj()) : z) / singular.For(y).clamp_min(0.5);
    });

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);

    // k → −k.
    private static Tensor Mirror(Tensor z) => z.flip(-2, -1).roll([1, 1], [-2, -1]);
}

/// <summary>
/// Magnetic resonance with several coils: each sees the complex picture [N, 2, H, W] through its own sensitivity. y is [N, 2·coils, H, W],
/// real and imaginary part of the first coil first. Inverted by conjugate gradients (SENSE).
/// </summary>
public sealed class CoilFourier : LinearOperator
{
    private readonly Constant mask, maps;

    /// <summary>Sampling by several coils.</summary>
    /// <param name="mask">[H, W]: not 0 where a frequency is sampled; frequency 0 at [0, 0].</param>
    /// <param name="sensitivities">[coils, 2, H, W], real and imaginary part.</param>
    public CoilFourier(Tensor mask, Tensor sensitivities)
    {
        using var scope = NewDisposeScope();
        var m = FourierMask.Checked(mask);
        if (sensitivities.dim() != 4 || sensitivities.shape[1] != 2 || !sensitivities.shape[2..].SequenceEqual(m.shape))
            throw new ArgumentException($"The sensitivities are [{string.Join(", ", sensitivities.shape)}]; they must be [coils, 2, {m.shape[0]}, {m.shape[1]}].", nameof(sensitivities));
        this.mask = Hold(m);
        maps = Hold(FourierMask.Complex(sensitivities.to(ScalarType.Float64)).squeeze(1));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x)
    {
        Check(x, 2, mask.For(x).shape[0], mask.For(x).shape[1]);
        return WrappedTensorDisposeScope(() => FourierMask.Channels(mask.For(x) * fft.fft2(maps.For(x) * FourierMask.Complex(x), norm: FFTNormType.Ortho)));
    }

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) => WrappedTensorDisposeScope(() =>
        FourierMask.Channels((maps.For(y).conj() * fft.ifft2(mask.For(y) * FourierMask.Complex(y), norm: FFTNormType.Ortho)).sum([1L], keepdim: true)));
}

/// <summary>Sampling patterns of magnetic resonance, and complex pictures as pairs of channels.</summary>
public static class FourierMask
{
    /// <summary>Whole columns at random with a full band around frequency 0 (Cartesian undersampling): float64 [H, W], frequency 0 at [0, 0].</summary>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="acceleration">Share of columns that is left out: 4 keeps a fourth.</param>
    /// <param name="center">Share of columns around frequency 0 that is always kept.</param>
    /// <param name="seed">Decides which.</param>
    public static Tensor Cartesian(long height, long width, double acceleration, double center = 0.08, long seed = 0)
    {
        if (!(acceleration >= 1)) throw new ArgumentOutOfRangeException(nameof(acceleration), acceleration, "An acceleration is at least 1.");
        using var scope = NewDisposeScope();
        using var generator = new Generator(unchecked((ulong)seed));
        long wanted = Math.Max(1, (long)Math.Round(width / acceleration)), band = Math.Min(wanted, Math.Max(1, (long)Math.Round(center * width)));
        // Columns by their distance from frequency 0 within the band, then at random; the first ones are kept.
        var frequency = (fft.fftfreq(width, 1.0 / width, ScalarType.Float64) + 0.25).abs();
        var within = frequency.argsort().argsort() < band;
        var rank = where(within, zeros(width, ScalarType.Float64) - 1, rand(width, ScalarType.Float64, generator: generator)).argsort().argsort();
        return (rank < wanted).to(ScalarType.Float64).expand(height, width).contiguous().MoveToOuterDisposeScope();
    }

    internal static Tensor Checked(Tensor mask) => mask.dim() == 2 ? mask.ne(0).to(ScalarType.Float64)
        : throw new ArgumentException($"A Fourier mask is [H, W]; this one is [{string.Join(", ", mask.shape)}].", nameof(mask));

    // [N, 2k, H, W] → complex [N, k, H, W]
    internal static Tensor Complex(Tensor x) => view_as_complex(x.view(x.shape[0], x.shape[1] / 2, 2, x.shape[2], x.shape[3]).permute(0, 1, 3, 4, 2).contiguous());

    // complex [N, k, H, W] → [N, 2k, H, W]
    internal static Tensor Channels(Tensor z) => view_as_real(z.resolve_conj()).permute(0, 1, 4, 2, 3).reshape(z.shape[0], 2 * z.shape[1], z.shape[2], z.shape[3]);
}
