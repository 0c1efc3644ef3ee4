using Langevin.Inverse;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>What <c>langevin restore</c> is asked to undo, with the numbers of the task; null takes a default.</summary>
internal sealed record TaskOptions
{
    public required string Task { get; init; }
    public Tensor? Mask { get; init; }
    public string Kernel { get; init; } = "gaussian";
    public double? KernelSize { get; init; }
    public double Angle { get; init; }
    public int Factor { get; init; } = 4;
    public double? Ratio { get; init; }
    public double Acceleration { get; init; } = 4;
    public int Angles { get; init; } = 30;
    public double Arc { get; init; } = 180;
    public int Quality { get; init; } = 10;
    public double Gain { get; init; } = 2;
    public double Noise { get; init; }
    public long Seed { get; init; }
}

/// <summary>A task of restoration: its operator, how its measurement is drawn, and the classical method to compare with.</summary>
/// <param name="Operator">What was done to the picture.</param>
/// <param name="ClassicalName">The classical method, in words.</param>
/// <param name="Classical">It.</param>
/// <param name="View">The measurement as a picture [N, C, H, W] in [−1, 1].</param>
internal sealed record RestorationTask(ForwardOperator Operator, string ClassicalName, Func<Tensor, Tensor> Classical, Func<Tensor, Tensor> View) : IDisposable
{
    public static readonly string[] Names = ["inpaint", "deblur", "superres", "colorize", "cs", "mri", "ct", "jpeg", "hdr"];

    /// <summary>The task for pictures of a shape.</summary>
    /// <exception cref="ArgumentException">The task does not fit the pictures, or one of its numbers is out of range.</exception>
    public static RestorationTask Create(TaskOptions o, long channels, long height, long width)
    {
        double sigma = o.Noise;
        switch (o.Task)
        {
            case "inpaint":
                var mask = o.Mask is { } given ? Fitting(given, height, width) : RandomMask(height, width, o.Ratio ?? 0.5, o.Seed);
                var inpainting = new Inpainting(mask);
                return new(inpainting, "total variation", y => Classical2(inpainting, y, Math.Max(0.01, 0.5 * sigma)), y => y.alias());
            case "deblur":
                var blur = new Blur(KernelOf(o), height, width);
                return new(blur, "Wiener", y => WrappedTensorDisposeScope(() => Inverse.Classical.Wiener(blur, y, Math.Max(sigma, 0.01), Inverse.Classical.NaturalPower(height, width))), y => y.alias());
            case "superres":
                var down = Separable.Bicubic(height, width, Positive(o.Factor, "--factor"));
                return new(down, "bicubic", y => Inverse.Classical.Bicubic(y, o.Factor), y => WrappedTensorDisposeScope(() => y.repeat_interleave(o.Factor, 2).repeat_interleave(o.Factor, 3)));
            case "colorize":
                if (channels != 3) throw new ArgumentException($"--task colorize: this model makes pictures of {channels} channel(s); colours need 3.");
                var grey = new Greyscale(0.299, 0.587, 0.114);
                return new(grey, "grey", y => y.expand(-1, 3, -1, -1), y => y.expand(-1, 3, -1, -1));
            case "cs":
                var sensing = new CompressedSensing(height, width, o.Ratio ?? 0.25, seed: o.Seed);
                return new(sensing, "total variation", y => Classical2(sensing, y, Math.Max(0.01, 0.5 * sigma)), sensing.PseudoInverse);
            case "mri":
                if (channels > 2) throw new ArgumentException($"--task mri: this model makes pictures of {channels} channels; magnetic resonance needs 1 (real) or 2 (complex).");
                var frequencies = o.Mask is { } sampled ? Fitting(sampled, height, width) : FourierMask.Cartesian(height, width, o.Acceleration, seed: o.Seed);
                var mri = new MaskedFourier(frequencies, real: channels == 1);
                return new(mri, "zero-filled", mri.Adjoint, mri.Adjoint);
            case "ct":
                var scan = new Radon(height, width, Radon.Angles(Positive(o.Angles, "--angles"), o.Arc));
                // Filtered back-projection is for attenuation: from 0, black, upwards.
                return new(scan, "filtered back-projection",
                    y => WrappedTensorDisposeScope(() => scan.FilteredBackProjection(y + scan.Forward(ones([1, channels, height, width], y.dtype, y.device))) * (o.Arc / 180) - 1),
                    y => Sinogram(y, height, width));
            case "hdr":
                var clipping = new Clipping(o.Gain);
                return new(clipping, "rescaled", clipping.PseudoInverse, y => y.alias());
            default:
                var jpeg = new JpegCompression(o.Quality);
                return new(jpeg, "decoded", y => y.alias(), y => y.alias());
        }
    }

    public void Dispose() => Operator.Dispose();

    private static Tensor Classical2(LinearOperator a, Tensor y, double weight) => Inverse.Classical.TotalVariation(a, y, weight, 300);

    private static Tensor KernelOf(TaskOptions o) => o.Kernel switch
    {
        "uniform" => Blur.Uniform((long)(o.KernelSize ?? 5)),
        "motion" => Blur.Motion(o.KernelSize ?? 7, o.Angle),
        _ => Blur.Gaussian(o.KernelSize ?? 1.5),
    };

    private static Tensor RandomMask(long height, long width, double ratio, long seed)
    {
        if (!(ratio is > 0 and <= 1)) throw new ArgumentException($"--ratio {ratio}: the share of pixels that is seen lies in (0, 1].");
        using var generator = new Generator(unchecked((ulong)seed));
        return WrappedTensorDisposeScope(() => rand(height, width, generator: generator) < ratio);
    }

    private static Tensor Fitting(Tensor mask, long height, long width) => mask.shape[^2] == height && mask.shape[^1] == width ? mask
        : throw new ArgumentException($"The mask is {mask.shape[^2]}×{mask.shape[^1]} pixels; this model makes pictures of {height}×{width}.");

    private static Tensor Sinogram(Tensor y, long height, long width) => WrappedTensorDisposeScope(() =>
    {
        var scaled = nn.functional.interpolate(y, [height, width], mode: InterpolationMode.Nearest);
        var (low, high) = (scaled.min(), scaled.max());
        return 2 * (scaled - low) / (high - low).clamp_min(1e-9) - 1;
    });

    private static int Positive(int value, string option) => Options.Positive(value, option);
}
