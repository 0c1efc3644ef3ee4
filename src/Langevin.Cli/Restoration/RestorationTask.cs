using Langevin.Inverse;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>What <c>langevin restore</c> is asked to undo, with the numbers of the task; null takes a default.</summary>
internal sealed record TaskSettings
{
    public required string Task { get; init; }
    public Tensor? Mask { get; init; }
    public string Kernel { get; init; } = "gaussian";
    public double? KernelSize { get; init; }
    public double Angle { get; init; }
    public int Factor { get; init; } = 4;
    public double? Ratio { get; init; }
    public double Acceleration { get; init; } = 4;
    public int Angles { get; init; } = 12;
    public double Arc { get; init; } = 180;
    public int Quality { get; init; } = 10;
    public double Gain { get; init; } = 2;
    public double Noise { get; init; }
    public long Seed { get; init; }
}

/// <summary>A task of restoration: its operator and noise, the classical methods to compare with, and how its measurement is drawn.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="Operator">What was done to the picture.</param>
/// <param name="Sigma">Standard deviation of the measurement's noise.</param>
/// <param name="Baselines">The classical methods, the usual one first.</param>
/// <param name="View">The measurement as a picture [N, C, H, W] in [−1, 1].</param>
internal sealed record RestorationTask(string Name, ForwardOperator Operator, double Sigma, IReadOnlyList<Baseline> Baselines, Func<Tensor, Tensor> View) : IDisposable
{
    public static readonly string[] Names = ["inpaint", "box", "deblur", "superres", "colorize", "cs", "mri", "ct", "jpeg", "hdr"];

    /// <summary>The tasks that pictures of a shape allow.</summary>
    public static IEnumerable<string> For(long channels, long height, long width) => Names.Where(name => name switch
    {
        "colorize" => channels == 3,
        "mri" => channels <= 2,
        "jpeg" => channels is 1 or 3 && height % 8 == 0 && width % 8 == 0,
        _ => true,
    });

    /// <summary>The task for pictures of a shape.</summary>
    /// <exception cref="ArgumentException">The task does not fit the pictures, or one of its numbers is out of range.</exception>
    public static RestorationTask Create(TaskSettings o, long channels, long height, long width)
    {
        double sigma = o.Noise;
        RestorationTask Of(ForwardOperator a, Func<Tensor, Tensor> view, params Baseline[] baselines) => new(o.Task, a, sigma, baselines, view);
        switch (o.Task)
        {
            case "inpaint" or "box":
                var inpainting = new Inpainting(o.Mask ?? (o.Task == "box" ? Hole(height, width, Share(o.Ratio ?? 0.75)) : RandomMask(height, width, Share(o.Ratio ?? 0.5), o.Seed)));
                return Of(inpainting, y => y.alias(), Baseline.TotalVariation(inpainting, sigma));
            case "deblur":
                var blur = new Blur(KernelOf(o), height, width);
                return Of(blur, y => y.alias(), Baseline.Wiener(blur, sigma, height, width), Baseline.TotalVariation(blur, sigma));
            case "superres":
                var down = Separable.Bicubic(height, width, Options.Positive(o.Factor, "--factor"));
                return Of(down, y => WrappedTensorDisposeScope(() => y.repeat_interleave(o.Factor, 2).repeat_interleave(o.Factor, 3)),
                    new("bicubic", y => Classical.Bicubic(y, o.Factor)), Baseline.TotalVariation(down, sigma));
            case "colorize":
                if (channels != 3) throw new ArgumentException($"--task colorize: this model makes pictures of {channels} channel(s); colours need 3.");
                var grey = new Greyscale(0.299, 0.587, 0.114);
                return Of(grey, y => y.expand(-1, 3, -1, -1), new Baseline("grey", y => y.expand(-1, 3, -1, -1)));
            case "cs":
                var sensing = new CompressedSensing(height, width, o.Ratio ?? 0.25, seed: o.Seed);
                return Of(sensing, sensing.PseudoInverse, Baseline.TotalVariation(sensing, sigma));
            case "mri":
                if (channels > 2) throw new ArgumentException($"--task mri: this model makes pictures of {channels} channels; magnetic resonance needs 1 (real) or 2 (complex).");
                var mri = new MaskedFourier(o.Mask ?? FourierMask.Cartesian(height, width, o.Acceleration, seed: o.Seed), real: channels == 1);
                return Of(mri, mri.Adjoint, new("zero-filled", mri.Adjoint), Baseline.TotalVariation(mri, sigma));
            case "ct":
                var scan = new Radon(height, width, Radon.Angles(Options.Positive(o.Angles, "--angles"), o.Arc));
                // Filtered back-projection is for attenuation: from 0, black, upwards.
                return Of(scan, y => Sinogram(y, height, width), new("filtered back-projection",
                    y => WrappedTensorDisposeScope(() => scan.FilteredBackProjection(y + scan.Forward(ones([1, channels, height, width], y.dtype, y.device))) * (o.Arc / 180) - 1)),
                    Baseline.TotalVariation(scan, sigma));
            case "hdr":
                var clipping = new Clipping(o.Gain);
                return Of(clipping, y => y.alias(), new Baseline("rescaled", clipping.PseudoInverse));
            default:
                var jpeg = new JpegCompression(o.Quality);
                var all = new Inpainting(ones(height, width));
                return Of(jpeg, y => y.alias(), new("decoded", y => y.alias()), Baseline.TotalVariation(all, sigma)) with { Owned = all };
        }
    }

    private ForwardOperator? Owned { get; init; }

    /// <summary>Measures pictures, each with noise that depends on the seed and its number alone.</summary>
    /// <param name="truth">[N, C, H, W].</param>
    /// <param name="seed">The seed.</param>
    public Tensor Measure(Tensor truth, long seed) => WrappedTensorDisposeScope(() =>
        cat([.. Enumerable.Range(0, (int)truth.shape[0]).Select(i => Operator.Measure(truth.narrow(0, i, 1), Sigma, new Samplers.SeededNoise(seed, -1 - i)))]));

    public void Dispose()
    {
        Operator.Dispose();
        Owned?.Dispose();
    }

    private static Tensor KernelOf(TaskSettings o) => o.Kernel switch
    {
        "uniform" => Blur.Uniform((long)(o.KernelSize ?? 5)),
        "motion" => Blur.Motion(o.KernelSize ?? 7, o.Angle),
        _ => Blur.Gaussian(o.KernelSize ?? 1.5),
    };

    private static double Share(double ratio) => ratio is > 0 and <= 1 ? ratio : throw new ArgumentException($"--ratio {ratio}: the share of pixels that is seen lies in (0, 1].");

    private static Tensor RandomMask(long height, long width, double seen, long seed)
    {
        using var generator = new Generator(unchecked((ulong)seed));
        return WrappedTensorDisposeScope(() => rand(height, width, generator: generator) < seen);
    }

    // All but a rectangle in the middle, of the picture's proportions.
    private static Tensor Hole(long height, long width, double seen)
    {
        using var scope = NewDisposeScope();
        var mask = ones(height, width, ScalarType.Bool);
        long h = (long)Math.Round(Math.Sqrt(1 - seen) * height), w = (long)Math.Round(Math.Sqrt(1 - seen) * width);
        if (h > 0 && w > 0) mask.narrow(0, (height - h) / 2, h).narrow(1, (width - w) / 2, w).fill_(false);
        return mask.MoveToOuterDisposeScope();
    }

    private static Tensor Sinogram(Tensor y, long height, long width) => WrappedTensorDisposeScope(() =>
    {
        var scaled = nn.functional.interpolate(y, [height, width], mode: InterpolationMode.Nearest);
        var (low, high) = (scaled.amin([1, 2, 3], keepdim: true), scaled.amax([1, 2, 3], keepdim: true));
        return 2 * (scaled - low) / (high - low).clamp_min(1e-9) - 1;
    });
}
