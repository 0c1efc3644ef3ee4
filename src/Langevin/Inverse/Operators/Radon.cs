using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Computed tomography with parallel beams: line integrals of the picture along rays, by bilinear interpolation at points one pixel apart,
/// as one sparse matrix; its transpose is the exact adjoint. y is [N, C, angles, detectors], the middle detector over the picture's middle.
/// </summary>
public sealed class Radon : LinearOperator
{
    private readonly Constant rows, columns, weights;
    private readonly long height, width;

    /// <summary>A scanner for pictures of a size.</summary>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="degrees">The angles; at 0 the rays run along the columns and the detector along the rows.</param>
    /// <param name="detectors">Number of detectors, one pixel apart; the picture's diagonal when null.</param>
    public Radon(long height, long width, IReadOnlyList<double> degrees, long? detectors = null)
    {
        if (degrees.Count == 0) throw new ArgumentException("A scan needs at least one angle.", nameof(degrees));
        using var scope = NewDisposeScope();
        (this.height, this.width, Degrees) = (height, width, [.. degrees]);
        long diagonal = (long)Math.Ceiling(Math.Sqrt((double)height * height + width * width));
        Detectors = detectors ?? diagonal + (diagonal + 1) % 2;
        // Points (angle, detector, along the ray) around the picture's middle, x to the right and y upwards.
        var angle = tensor(Degrees.Select(d => d * Math.PI / 180).ToArray()).view(-1, 1, 1);
        var across = (arange(Detectors, ScalarType.Float64) - (Detectors - 1) / 2.0).view(1, -1, 1);
        var along = (arange(diagonal + 1, ScalarType.Float64) - diagonal / 2.0).view(1, 1, -1);
        var column = across * angle.cos() - along * angle.sin() + (width - 1) / 2.0;
        var row = -(across * angle.sin() + along * angle.cos()) + (height - 1) / 2.0;
        var ray = arange(degrees.Count * Detectors).view(degrees.Count, Detectors, 1).expand(row.shape);
        List<Tensor> entries = [], values = [];
        foreach (var (down, right) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
        {
            Tensor r = row.floor() + down, c = column.floor() + right;
            var weight = (1 - (row - r).abs()) * (1 - (column - c).abs());
            var inside = (r >= 0) & (r < height) & (c >= 0) & (c < width) & (weight > 0);
            entries.Add((ray * (height * width) + (r * width + c).to(ScalarType.Int64)).masked_select(inside));
            values.Add(weight.masked_select(inside));
        }
        // One entry for each ray and pixel.
        var (entry, place, _) = cat([.. entries]).unique(sorted: true, return_inverse: true);
        weights = Hold(zeros(entry.shape[0], ScalarType.Float64).index_add_(0, place!, cat([.. values]), 1));
        rows = Hold(entry.div(height * width, RoundingMode.floor));
        columns = Hold(entry.remainder(height * width));
    }

    /// <summary>The angles in degrees.</summary>
    public IReadOnlyList<double> Degrees { get; }

    /// <summary>Number of detectors.</summary>
    public long Detectors { get; }

    /// <summary>Evenly spaced angles over a range, its end left out: all round is 180.</summary>
    public static double[] Angles(int count, double range = 180) => [.. Enumerable.Range(0, count).Select(i => i * range / count)];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x)
    {
        Check(x, height, width);
        return WrappedTensorDisposeScope(() => Spread(x.reshape(-1, height * width), columns.For(x), rows.For(x), Degrees.Count * Detectors).view(x.shape[0], x.shape[1], Degrees.Count, Detectors));
    }

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) =>
        WrappedTensorDisposeScope(() => Spread(y.reshape(-1, Degrees.Count * Detectors), rows.For(y), columns.For(y), height * width).view(y.shape[0], y.shape[1], height, width));

    /// <summary>
    /// Filtered back-projection: the ramp filter (Ram–Lak, from its band-limited kernel) on every projection, then the sum over the angles of its value at
    /// each pixel, by linear interpolation, times the angular step. Meant for angles evenly spaced over 180 degrees.
    /// </summary>
    public Tensor FilteredBackProjection(Tensor y)
    {
        using var scope = NewDisposeScope();
        long size = 2 * Detectors;
        // Ramachandran and Lakshminarayanan 1971: 1/4 at 0, −1/(π n)² at odd n, 0 at even n.
        var n = fft.fftfreq(size, 1.0 / size, ScalarType.Float64).round();
        var kernel = where(n.remainder(2).eq(1), -1 / (Math.PI * n).square().clamp_min(1e-300), zeros_like(n));
        kernel[0] = tensor(0.25);
        var ramp = real(fft.fft_(kernel)).to(y.dtype).to(y.device);
        var filtered = real(fft.ifft(fft.fft_(y, size) * ramp)).narrow(3, 0, Detectors);
        // Where each pixel falls on the detector, [angles, H·W], and what lies to either side.
        var angle = tensor(Degrees.Select(d => d * Math.PI / 180).ToArray()).view(-1, 1, 1);
        var across = (arange(width, ScalarType.Float64) - (width - 1) / 2.0) * angle.cos() - (arange(height, ScalarType.Float64) - (height - 1) / 2.0).unsqueeze(1) * angle.sin();
        var place = (across + (Detectors - 1) / 2.0).view(Degrees.Count, -1);
        var image = zeros([y.shape[0] * y.shape[1], height * width], y.dtype, y.device);
        foreach (int side in new[] { 0, 1 })
        {
            var detector = place.floor() + side;
            var weight = ((1 - (place - detector).abs()) * ((detector >= 0) & (detector < Detectors))).to(y.dtype).to(y.device);
            var from = (arange(Degrees.Count).unsqueeze(1) * Detectors + detector.clamp(0, Detectors - 1).to(ScalarType.Int64)).flatten().to(y.device);
            image = image + (filtered.reshape(image.shape[0], -1).index_select(1, from).view(-1, Degrees.Count, height * width) * weight).sum([1L]);
        }
        return (image * (Math.PI / Degrees.Count)).view(y.shape[0], y.shape[1], height, width).MoveToOuterDisposeScope();
    }

    // Every entry of the matrix takes from one place and adds to another.
    private Tensor Spread(Tensor x, Tensor from, Tensor to, long size) =>
        zeros([x.shape[0], size], x.dtype, x.device).index_add_(1, to, x.index_select(1, from) * weights.For(x), 1);
}
