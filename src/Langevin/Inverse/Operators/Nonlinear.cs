using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Lossy compression as JPEG does it, of pictures in [−1, 1]: the cosine transform of 8 × 8 blocks (of Y, Cb and Cr for three channels, none
/// subsampled), rounded to multiples of a table. y is the decoded picture.
/// </summary>
/// <remarks>Rounding has no slope: <see cref="Pullback"/> passes gradients straight through it.</remarks>
public sealed class JpegCompression : ForwardOperator
{
    private static readonly double[] Luminance =
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];

    private static readonly double[] Chrominance =
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ];

    private readonly Constant cosines, luminance, chrominance, colours, fromColours;

    /// <summary>Compression at a quality.</summary>
    /// <param name="quality">1 (worst) to 100, scaling the standard's tables (ITU-T T.81, annex K) as the usual encoders do.</param>
    public JpegCompression(int quality)
    {
        if (quality is < 1 or > 100) throw new ArgumentOutOfRangeException(nameof(quality), quality, "JPEG's quality lies in 1..100.");
        using var scope = NewDisposeScope();
        double scale = quality < 50 ? 5000.0 / quality : 200 - 2 * quality;
        // Tables are for bytes; [−1, 1] is 127.5 times smaller.
        Tensor Table(double[] table) => tensor(Array.ConvertAll(table, q => Math.Clamp(Math.Floor((q * scale + 50) / 100), 1, 255) / 127.5)).view(8, 8);
        (luminance, chrominance) = (Hold(Table(Luminance)), Hold(Table(Chrominance)));
        var k = arange(8, ScalarType.Float64).unsqueeze(1);
        var dct = 0.5 * ((2 * arange(8, ScalarType.Float64) + 1) * k * (Math.PI / 16)).cos();
        dct[0] = dct[0] / Math.Sqrt(2);
        cosines = Hold(dct);
        var ycc = tensor(new[,] { { 0.299, 0.587, 0.114 }, { -0.168735892, -0.331264108, 0.5 }, { 0.5, -0.418687589, -0.081312411 } });
        (colours, fromColours) = (Hold(ycc), Hold(linalg.inv(ycc)));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x)
    {
        if (x.dim() != 4 || x.shape[1] is not (1 or 3) || x.shape[2] % 8 != 0 || x.shape[3] % 8 != 0)
            throw new ArgumentException($"x is [{string.Join(", ", x.shape)}]; JPEG needs one or three channels and sides that are multiples of 8.", nameof(x));
        using var scope = NewDisposeScope();
        bool colour = x.shape[1] == 3;
        var planes = colour ? einsum("dc,nchw->ndhw", colours.For(x), x) : x;
        var blocks = planes.view(x.shape[0], x.shape[1], x.shape[2] / 8, 8, x.shape[3] / 8, 8);
        var table = colour ? stack([luminance.For(x), chrominance.For(x), chrominance.For(x)]).view(3, 1, 8, 1, 8) : luminance.For(x).view(1, 1, 8, 1, 8);
        var coefficients = (einsum("ki,ncaibj,lj->ncakbl", cosines.For(x), blocks, cosines.For(x)) / table).round() * table;
        planes = einsum("ki,ncakbl,lj->ncaibj", cosines.For(x), coefficients, cosines.For(x)).reshape(x.shape);
        return (colour ? einsum("dc,nchw->ndhw", fromColours.For(x), planes) : planes).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y) => y.alias();

    /// <inheritdoc/>
    public override Tensor Pullback(Tensor x, Tensor r) => r.alias();
}

/// <summary>Overexposure: y = clip(g x, −1, 1), what a camera keeps of a scene of high dynamic range.</summary>
/// <param name="gain">g &gt; 0.</param>
public sealed class Clipping(double gain = 2) : ForwardOperator
{
    private readonly double gain = gain > 0 ? gain : throw new ArgumentOutOfRangeException(nameof(gain), gain, "The gain must be positive.");

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => WrappedTensorDisposeScope(() => (gain * x).clamp(-1, 1));

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y) => y / gain;

    /// <inheritdoc/>
    public override Tensor Pullback(Tensor x, Tensor r) => WrappedTensorDisposeScope(() => gain * r * ((gain * x).abs() < 1).to(r.dtype));
}
