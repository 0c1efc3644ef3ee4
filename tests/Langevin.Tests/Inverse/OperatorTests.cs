using Langevin.Inverse;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Every operator against its definition, its transpose, its inverse and its decomposition, in double.</summary>
public class OperatorTests
{
    private const ScalarType Double = ScalarType.Float64;

    private static readonly Dictionary<string, (Func<ForwardOperator> Create, long[] Shape)> Operators = new()
    {
        ["mask"] = (() => new Inpainting(Pattern(8, 8)), [3, 8, 8]),
        ["blur-uniform"] = (() => new Blur(Blur.Uniform(3), 8, 10), [2, 8, 10]),
        ["blur-gaussian"] = (() => new Blur(Blur.Gaussian(0.8), 8, 9), [1, 8, 9]),
        ["blur-motion"] = (() => new Blur(Blur.Motion(5, 30), 8, 9), [3, 8, 9]),
        ["blur-cut"] = (() => new Blur(Blur.Gaussian(1.5, 7), 12, 12, 0.05), [1, 12, 12]),
        ["average"] = (() => Separable.Average(8, 12, 4), [3, 8, 12]),
        ["bicubic"] = (() => Separable.Bicubic(12, 8, 2), [3, 12, 8]),
        ["grey"] = (() => new Greyscale(0.299, 0.587, 0.114), [3, 4, 5]),
        ["sensing"] = (() => new CompressedSensing(8, 16, 0.3, 8, 1), [2, 8, 16]),
        ["mri"] = (() => new MaskedFourier(FourierMask.Cartesian(8, 12, 3)), [2, 8, 12]),
        ["mri-real"] = (() => new MaskedFourier(Pattern(8, 6), real: true), [1, 8, 6]),
        ["mri-coils"] = (() => new CoilFourier(FourierMask.Cartesian(6, 8, 2), Maps(3, 6, 8)) { Iterations = 400 }, [2, 6, 8]),
        ["ct"] = (() => new Radon(8, 8, Radon.Angles(12)) { Iterations = 300 }, [1, 8, 8]),
        ["ct-limited"] = (() => new Radon(7, 9, Radon.Angles(5, 60), 9) { Iterations = 300 }, [2, 7, 9]),
        ["dense"] = (() => new DenseOperator(Random(1, 5, 12).squeeze(0), 3, 2, 2), [3, 2, 2]),
    };

    public static TheoryData<string> All() => [.. Operators.Keys];

    public static TheoryData<string> Spectral() => [.. Operators.Keys.Where(k => k is not ("ct" or "ct-limited" or "mri-coils"))];

    [Theory, MemberData(nameof(All))]
    public void The_adjoint_is_the_transpose(string name)
    {
        using var scope = NewDisposeScope();
        using var a = (LinearOperator)Operators[name].Create();
        var x = Random(1, [3, .. Operators[name].Shape]);
        var ax = a.Forward(x);
        var y = Random(2, ax.shape);
        double left = (ax * y).sum().item<double>(), right = (x * a.Adjoint(y)).sum().item<double>();
        Assert.True(Math.Abs(left - right) < 1e-10 * Norm(ax) * Norm(y), $"{left} and {right}");
        // The same as the explicit matrix's, sample by sample.
        var dense = a.Dense(Operators[name].Shape);
        Assert.True(Near(einsum("md,nd->nm", dense, x.flatten(1)), ax.flatten(1), 1e-12));
        Assert.True(Near(einsum("md,nm->nd", dense, y.flatten(1)), a.Adjoint(y).flatten(1), 1e-12));
        Assert.True(Near(a.Forward(x.narrow(0, 1, 1)), ax.narrow(0, 1, 1), 1e-12));
    }

    [Theory, MemberData(nameof(All))]
    public void The_pseudo_inverse_is_the_matrix_s(string name)
    {
        using var scope = NewDisposeScope();
        using var a = (LinearOperator)Operators[name].Create();
        var x = Random(3, [2, .. Operators[name].Shape]);
        var ax = a.Forward(x);
        // The scanner's matrix is ill-conditioned, and conjugate gradients square that.
        double tolerance = a is Radon ? 1e-4 : 1e-10;
        Assert.True(Near(a.Forward(a.PseudoInverse(ax)), ax, tolerance), $"A A⁺ A = A but for {Norm(a.Forward(a.PseudoInverse(ax)) - ax) / Norm(ax):g3}");
        var dense = a.Dense(Operators[name].Shape);
        var y = Random(4, ax.shape);
        var inverse = linalg.pinv(dense, atol: null, rtol: 1e-10);
        var want = einsum("dm,nm->nd", inverse, y.flatten(1));
        Assert.True(a is Radon || Near(a.PseudoInverse(y).flatten(1), want, tolerance), "A⁺");
        var normal = dense.t().mm(dense) + 0.3 * eye(dense.shape[1], dtype: Double);
        want = einsum("de,ne->nd", linalg.inv(normal), einsum("md,nm->nd", dense, y.flatten(1)));
        Assert.True(Near(a.RidgeInverse(y, 0.3).flatten(1), want, 1e-10), "ridge");
    }

    [Theory, MemberData(nameof(Spectral))]
    public void The_decomposition_is_one(string name)
    {
        using var scope = NewDisposeScope();
        using var a = (SpectralOperator)Operators[name].Create();
        var x = Random(5, [2, .. Operators[name].Shape]);
        var y = Random(6, a.Forward(x).shape);
        Assert.True(Near(a.V(a.Vt(x)), x, 1e-12), "V Vᵀ = I");
        Assert.Equal(Norm(x), Norm(a.Vt(x)), 1e-10);
        var range = a.U(a.Ut(y));
        Assert.True(Near(a.U(a.Ut(range)), range, 1e-12), "U Uᵀ is a projection");
        Assert.True(Near(a.U(a.SingularValues(x) * a.Vt(x)), a.Forward(x), 1e-12), "A = U S Vᵀ");
        // The values are those of the matrix: AᵀA has them squared, whatever the basis.
        var dense = a.Dense(Operators[name].Shape);
        var (_, want, _) = linalg.svd(dense, fullMatrices: false);
        var values = (a.SingularValues(x) * ones_like(a.Vt(x).narrow(0, 0, 1))).abs().flatten().sort(descending: true).Values;
        // A complex coordinate of a complex picture stands for two real ones.
        if (values.shape[0] < dense.shape[1]) values = values.repeat_interleave(2);
        Assert.True(Near(values.narrow(0, 0, Math.Min(values.shape[0], want.shape[0])), want.narrow(0, 0, Math.Min(values.shape[0], want.shape[0])), 1e-10));
        Assert.True(values.shape[0] <= want.shape[0] || Norm(values.narrow(0, want.shape[0], values.shape[0] - want.shape[0])) < 1e-12);
    }

    [Fact]
    public void A_blur_is_a_circular_convolution()
    {
        using var scope = NewDisposeScope();
        var x = Random(1, 2, 3, 8, 9);
        foreach (var kernel in new[] { Blur.Uniform(5), Blur.Gaussian(0.9, 5), Blur.Motion(4, 20), Random(2, 3, 5) })
        {
            Assert.True(kernel.shape[0] == 3 || Math.Abs(kernel.sum().item<double>() - 1) < 1e-12);
            using var blur = new Blur(kernel, 8, 9, cutoff: 0);
            long h = kernel.shape[0] / 2, w = kernel.shape[1] / 2;
            var padded = cat([x.narrow(2, 8 - h, h), x, x.narrow(2, 0, h)], 2);
            padded = cat([padded.narrow(3, 9 - w, w), padded, padded.narrow(3, 0, w)], 3);
            var want = nn.functional.conv2d(padded, kernel.flip(0, 1).view(1, 1, kernel.shape[0], kernel.shape[1]).expand(3, 1, -1, -1), groups: 3);
            Assert.True(Near(blur.Forward(x), want, 1e-12));
        }
        // Along the rows, and up to the right.
        Assert.True(Blur.Motion(5, 0).sum([0L]).ne(0).sum().item<long>() == 5 && Blur.Motion(5, 0).sum([1L]).ne(0).sum().item<long>() == 1);
        var up = Blur.Motion(5, 45);
        Assert.True(up[2, 4].item<double>() > 3 * up[2, 2].item<double>());
    }

    [Fact]
    public void Down_sampling_is_the_library_s()
    {
        using var scope = NewDisposeScope();
        var x = Random(1, 2, 3, 16, 24);
        using var average = Separable.Average(16, 24, 4);
        Assert.True(Near(average.Forward(x), nn.functional.avg_pool2d(x, 4), 1e-12));
        using var bicubic = Separable.Bicubic(16, 24, 4);
        var want = nn.functional.interpolate(x, [4, 6], mode: InterpolationMode.Bicubic, align_corners: false, antialias: true);
        Assert.True(Near(bicubic.Forward(x), want, 1e-12));
    }

    [Fact]
    public void Sensing_measures_a_Hadamard_transform()
    {
        using var scope = NewDisposeScope();
        using var all = new CompressedSensing(4, 8, 1, 4, 3);
        // Every entry of the orthonormal matrix is ±1/4, and the first coefficient is the block's mean times 4.
        var dense = all.Dense(1, 4, 8);
        Assert.True(dense.ne(0).sum().item<long>() == 2 * 16 * 16 && Near(dense.abs().masked_select(dense.ne(0)), full(512, 0.25, Double), 1e-12));
        Assert.True(Near(dense.mm(dense.t()), eye(32, dtype: Double), 1e-12));
        var x = Random(1, 1, 1, 4, 8);
        Assert.True(Near(all.Forward(x).select(3, 0).flatten(), nn.functional.avg_pool2d(x, 4).flatten() * 4, 1e-12));
        using var half = new CompressedSensing(4, 8, 0.5, 4, 3);
        Assert.True(Near(half.Forward(x), all.Forward(x).narrow(3, 0, 8), 1e-12));
    }

    [Fact]
    public void Magnetic_resonance_samples_the_discrete_Fourier_transform()
    {
        using var scope = NewDisposeScope();
        var mask = FourierMask.Cartesian(6, 8, 2, 0.3, 4);
        Assert.Equal(4, mask[0].sum().item<double>());
        Assert.Equal(new[] { 1.0, 1.0 }, new[] { mask[0, 0].item<double>(), mask[0, 7].item<double>() });
        using var mri = new MaskedFourier(mask);
        var x = Random(1, 2, 2, 6, 8);
        // By the definition's own sum: exp(−2πi(uh/H + vw/W))/√(HW).
        var angle = -2 * Math.PI * (arange(6, Double).view(6, 1, 1, 1) * arange(6, Double).view(1, 1, 6, 1) / 6 + arange(8, Double).view(1, 8, 1, 1) * arange(8, Double).view(1, 1, 1, 8) / 8);
        Tensor c = angle.cos() / Math.Sqrt(48), s = angle.sin() / Math.Sqrt(48), re = x.select(1, 0), im = x.select(1, 1);
        var want = stack([einsum("uvhw,nhw->nuv", c, re) - einsum("uvhw,nhw->nuv", s, im), einsum("uvhw,nhw->nuv", s, re) + einsum("uvhw,nhw->nuv", c, im)], 1) * mask;
        Assert.True(Near(mri.Forward(x), want, 1e-12));
        // One coil that sees all alike is that; a real picture is a complex one without imaginary part.
        using var coil = new CoilFourier(mask, cat([ones([1, 1, 6, 8], Double), zeros([1, 1, 6, 8], Double)], 1));
        Assert.True(Near(coil.Forward(x), want, 1e-12));
        using var single = new MaskedFourier(mask, real: true);
        var picture = Random(2, 2, 1, 6, 8);
        Assert.True(Near(single.Forward(picture), mri.Forward(cat([picture, zeros_like(picture)], 1)), 1e-12));
    }

    [Fact]
    public void A_scan_integrates_along_lines()
    {
        using var scope = NewDisposeScope();
        using var scan = new Radon(9, 9, [0, 90, 180, 30], 13);
        var x = Random(1, 1, 1, 9, 9);
        var y = scan.Forward(x);
        Assert.True(Near(y[0, 0, 0].narrow(0, 2, 9), x[0, 0].sum([0L]), 1e-12), "columns at 0°");
        Assert.True(Near(y[0, 0, 1].narrow(0, 2, 9), x[0, 0].sum([1L]).flip(0), 1e-12), "rows at 90°, the top one last");
        Assert.True(Near(y[0, 0, 2], y[0, 0, 0].flip(0), 1e-12), "180° is 0° mirrored");
        // A disc of radius r has chords 2√(r² − s²) at every angle; bilinear pixels blur its edge over one of them.
        using var wide = new Radon(65, 65, [0, 17, 45, 80]);
        var disc = Disc(65, 20);
        var at = arange(wide.Detectors, Double) - (wide.Detectors - 1) / 2;
        var chord = 2 * (400 - at.square()).clamp_min(0).sqrt();
        var error = (wide.Forward(disc)[0, 0] - chord).abs();
        Assert.True(error.mean().item<double>() < 0.35 && error.max().item<double>() < 4, $"{error.mean().item<double>():g3}, {error.max().item<double>():g3}");
    }

    [Fact]
    public void Filtered_back_projection_rebuilds_a_disc()
    {
        using var scope = NewDisposeScope();
        using var scan = new Radon(65, 65, Radon.Angles(120));
        var disc = Disc(65, 20);
        var got = scan.FilteredBackProjection(scan.Forward(disc));
        // Away from the edge, where the picture is not band-limited: within 2 % inside and 3 % outside.
        var radius = Radius(65);
        double inside = (got[0, 0] - 1).abs().masked_select(radius < 17).max().item<double>(), outside = got[0, 0].abs().masked_select((radius > 23) & (radius < 31)).max().item<double>();
        Assert.True(inside < 0.03 && outside < 0.03, $"{inside:g3}, {outside:g3}");
        double error = (got - disc).square().mean().sqrt().item<double>(), backProjection = (scan.Adjoint(scan.Forward(disc)) * (Math.PI / 120) - disc).square().mean().sqrt().item<double>();
        Assert.True(error < 0.08 && backProjection > 5 * error, $"{error:g3}, {backProjection:g3}");
    }

    [Fact]
    public void Compression_rounds_the_cosine_transform()
    {
        using var scope = NewDisposeScope();
        using var jpeg = new JpegCompression(50);
        // A flat block has one coefficient, 8 times its level; the table's first entry at quality 50 is 16: levels are multiples of 2 in bytes.
        var y = jpeg.Forward(full([1, 1, 8, 8], 11.2 / 127.5, Double));
        Assert.True(Near(y, full([1, 1, 8, 8], 12 / 127.5, Double), 1e-12));
        // The best quality rounds to bytes' own steps; coefficients are then off by half a step at most, pixels by √(1/12) of one on average.
        using var best = new JpegCompression(100);
        var x = Random(1, 2, 3, 16, 24).clamp(-1, 1);
        double rough = (best.Forward(x) - x).square().mean().sqrt().item<double>() * 127.5;
        Assert.True(rough is > 0.2 and < 0.7, $"{rough}");
        Assert.True(Near(jpeg.Forward(jpeg.Forward(x)), jpeg.Forward(x), 1e-9), "a decoded picture is compressed without loss");
        double worse = (new JpegCompression(5).Forward(x) - x).square().mean().item<double>();
        Assert.True(worse > 4 * (jpeg.Forward(x) - x).square().mean().item<double>());
    }

    [Fact]
    public void Clipping_pulls_back_what_is_not_clipped()
    {
        using var scope = NewDisposeScope();
        using var clip = new Clipping(2);
        var x = Random(1, 2, 1, 4, 4).detach().requires_grad_();
        var r = Random(2, 2, 1, 4, 4);
        var want = autograd.grad([(clip.Forward(x) * r).sum()], [x])[0];
        Assert.True(Near(clip.Pullback(x.detach(), r), want, 1e-12));
        Assert.True(Near(clip.Forward(clip.PseudoInverse(clip.Forward(x))), clip.Forward(x), 1e-12));
    }

    [Fact]
    public void Measurements_have_the_noise_asked_for_and_the_picture_s_type()
    {
        using var scope = NewDisposeScope();
        foreach (var (name, (create, shape)) in Operators)
        {
            using var a = (LinearOperator)create();
            var x = Random(7, [2, .. shape]).to(ScalarType.Float32);
            var y = a.Measure(x, 0.1);
            Assert.True(y.dtype == ScalarType.Float32 && a.PseudoInverse(y).dtype == ScalarType.Float32 && a.PseudoInverse(y).shape.SequenceEqual(x.shape), name);
        }
        using var mask = new Inpainting(ones(50, 50));
        var noise = mask.Measure(zeros([4, 1, 50, 50], Double), 0.3);
        Assert.Equal(0.3, noise.std().item<double>(), 0.3 * 4 / Math.Sqrt(2 * 10_000)); // four standard errors
    }

    [Fact]
    public void Wrong_shapes_are_refused_in_words()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => Separable.Average(9, 8, 4));
        Assert.Throws<ArgumentException>(() => new CompressedSensing(9, 8, 0.5, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompressedSensing(8, 8, 0));
        Assert.Throws<ArgumentException>(() => new Blur(ones(9, 9), 8, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => Blur.Uniform(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new JpegCompression(0));
        Assert.Throws<ArgumentException>(() => new Inpainting(ones(4)));
        Assert.Throws<ArgumentException>(() => new Greyscale(0, 0, 0));
        Assert.Throws<ArgumentException>(() => new CoilFourier(ones(4, 4), ones(2, 2, 4, 5)));
        using var blur = new Blur(Blur.Uniform(3), 8, 8);
        Assert.Contains("8, 8", Assert.Throws<ArgumentException>(() => blur.Forward(ones(1, 1, 9, 8))).Message, StringComparison.Ordinal);
    }

    internal static Tensor Random(ulong seed, params long[] shape)
    {
        using var generator = new Generator(seed);
        return randn(shape, Double, generator: generator);
    }

    private static Tensor Pattern(long height, long width) => Random(9, height, width).gt(0.2).to(Double);

    private static Tensor Maps(long coils, long height, long width) => Random(8, coils, 2, height, width);

    private static Tensor Radius(long size)
    {
        var at = (arange(size, Double) - (size - 1) / 2).square();
        return (at.unsqueeze(1) + at).sqrt();
    }

    // The share of each pixel within the radius, about.
    private static Tensor Disc(long size, double radius) => (radius + 0.5 - Radius(size)).clamp(0, 1).view(1, 1, size, size);

    internal static double Norm(Tensor x) => x.abs().square().sum().sqrt().item<double>();

    internal static bool Near(Tensor a, Tensor b, double tolerance) => a.shape.SequenceEqual(b.shape) && Norm(a - b) <= tolerance * Math.Max(1, Norm(b));
}
