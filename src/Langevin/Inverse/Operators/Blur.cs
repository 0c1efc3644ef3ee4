using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Convolution with a kernel, the picture going on beyond its borders as if repeated: y = k ∗ x. The Fourier transform diagonalises it.
/// </summary>
public sealed class Blur : SpectralOperator
{
    private readonly Constant singular, phase;
    private readonly long height, width;

    /// <summary>A blur of pictures of a size.</summary>
    /// <param name="kernel">[h, w], its middle pixel (h/2, w/2) at the origin.</param>
    /// <param name="height">H ≥ h.</param>
    /// <param name="width">W ≥ w.</param>
    /// <param name="cutoff">Frequencies that pass with less than this share of the strongest count as lost: they are 0 in A too.</param>
    /// <exception cref="ArgumentException">A kernel that is no matrix, or larger than the picture.</exception>
    public Blur(Tensor kernel, long height, long width, double cutoff = 1e-6)
    {
        if (kernel.dim() != 2 || kernel.shape[0] > height || kernel.shape[1] > width)
            throw new ArgumentException($"The kernel is [{string.Join(", ", kernel.shape)}]; it must be a matrix no larger than the picture, {height}×{width}.", nameof(kernel));
        using var scope = NewDisposeScope();
        (this.height, this.width) = (height, width);
        var transfer = Transfer(kernel.to(ScalarType.Float64), height, width);
        var size = transfer.abs();
        var passes = size > cutoff * size.max();
        singular = Hold(where(passes, size, zeros_like(size)));
        phase = Hold(where(passes, transfer / size.clamp_min(1e-300), zeros_like(transfer)));
    }

    /// <summary>The mean over a square of side <paramref name="size"/>, odd.</summary>
    public static Tensor Uniform(long size) => full([Odd(size), size], 1.0 / (size * size), ScalarType.Float64);

    /// <summary>A Gaussian of a standard deviation in pixels, cut off at 3 of them unless a size is given, and of sum 1.</summary>
    public static Tensor Gaussian(double std, long? size = null)
    {
        if (!(std > 0)) throw new ArgumentOutOfRangeException(nameof(std), std, "A Gaussian's standard deviation must be positive.");
        using var scope = NewDisposeScope();
        long side = Odd(size ?? 2 * (long)Math.Ceiling(3 * std) + 1);
        var line = (-0.5 * ((arange(side, ScalarType.Float64) - side / 2) / std).square()).exp();
        return (line.unsqueeze(1) * line / line.sum().square()).MoveToOuterDisposeScope();
    }

    /// <summary>Straight motion over a length in pixels at an angle, drawn one pixel wide by linear interpolation, of sum 1.</summary>
    /// <param name="length">Length of the path, ≥ 1.</param>
    /// <param name="degrees">0 is along the rows; turns anticlockwise.</param>
    public static Tensor Motion(double length, double degrees)
    {
        if (!(length >= 1)) throw new ArgumentOutOfRangeException(nameof(length), length, "A motion blur is at least one pixel long.");
        using var scope = NewDisposeScope();
        long side = 2 * (long)Math.Ceiling(length / 2) + 1, samples = 16 * side;
        double angle = degrees * Math.PI / 180;
        var along = linspace(-(length - 1) / 2, (length - 1) / 2, samples, ScalarType.Float64).unsqueeze(1);
        var at = arange(side, ScalarType.Float64) - side / 2;
        Tensor Hat(Tensor centre) => (1 - (at - centre).abs()).clamp_min(0);
        var kernel = einsum("si,sj->ij", Hat(-Math.Sin(angle) * along), Hat(Math.Cos(angle) * along));
        return (kernel / kernel.sum()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x)
    {
        Check(x, height, width);
        return fft.fft2(x, norm: FFTNormType.Ortho);
    }

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => WrappedTensorDisposeScope(() => real(fft.ifft2(c, norm: FFTNormType.Ortho)));

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => WrappedTensorDisposeScope(() => V(phase.For(c) * c));

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => WrappedTensorDisposeScope(() => phase.For(y).conj() * Vt(y));

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);

    /// <summary>The Fourier transform [..., H, W] of kernels [..., h, w], their middle at the origin.</summary>
    internal static Tensor Transfer(Tensor kernel, long height, long width)
    {
        using var scope = NewDisposeScope();
        long h = kernel.shape[^2], w = kernel.shape[^1];
        var padded = nn.functional.pad(kernel, [0, width - w, 0, height - h]);
        return fft.fft2(padded.roll([-(h / 2), -(w / 2)], [-2, -1])).MoveToOuterDisposeScope();
    }

    private static long Odd(long size) => size > 0 && size % 2 == 1 ? size : throw new ArgumentOutOfRangeException(nameof(size), size, "A kernel's side must be odd.");
}
