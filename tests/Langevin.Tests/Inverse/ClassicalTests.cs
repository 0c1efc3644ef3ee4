using Langevin.Inverse;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Restoration without a model, on answers that are known.</summary>
public class ClassicalTests
{
    private const ScalarType Double = ScalarType.Float64;

    [Fact]
    public void Wiener_is_the_posterior_mean_of_a_stationary_Gaussian()
    {
        using var scope = NewDisposeScope();
        using var blur = new Blur(Blur.Gaussian(0.9, 5), 6, 6);
        var power = Classical.NaturalPower(6, 6, 0.3);
        Assert.Equal(0.3, power.mean().item<double>(), 1e-12);
        // C is circulant with eigenvalues P: the mean is C Aᵀ (A C Aᵀ + σ² I)⁻¹ y.
        var basis = fft.fft2(eye(36, dtype: Double).view(36, 1, 6, 6));
        var c = real(fft.ifft2(power * basis)).flatten(1);
        var a = blur.Dense(1, 6, 6);
        var y = OperatorTests.Random(3, 1, 1, 6, 6);
        var want = c.mm(a.t()).mm(linalg.inv(a.mm(c).mm(a.t()) + 0.01 * eye(36, dtype: Double))).mm(y.view(36, 1));
        Assert.True(OperatorTests.Near(Classical.Wiener(blur, y, 0.1, power).view(36, 1), want, 1e-10));
        Assert.True(OperatorTests.Near(Classical.Wiener(blur, y, 0.1), blur.RidgeInverse(y, 0.01), 1e-12), "white pictures");
    }

    [Fact]
    public void Total_variation_of_a_step_moves_its_levels_together()
    {
        // Of levels a < b over n and m pixels, the minimum of ½‖x − y‖² + w|b' − a'| is a' = a + w/n, b' = b − w/m (until they meet).
        using var scope = NewDisposeScope();
        using var all = new Inpainting(ones(1, 10));
        var y = cat([full([1, 1, 1, 4], -1.0, Double), full([1, 1, 1, 6], 0.8, Double)], 3);
        var want = cat([full([1, 1, 1, 4], -1 + 0.6 / 4, Double), full([1, 1, 1, 6], 0.8 - 0.6 / 6, Double)], 3);
        Assert.True(OperatorTests.Near(Classical.TotalVariation(all, y, 0.6, 4000), want, 1e-5));
        Assert.True(OperatorTests.Near(Classical.TotalVariation(all, y, 50, 8000), full([1, 1, 1, 10], 0.08, Double), 1e-4), "the mean, when w is large");
        Assert.True(OperatorTests.Near(Classical.TotalVariation(all, y, 0, 500), y, 1e-6), "the data, when w is 0");
    }

    [Fact]
    public void Total_variation_finds_the_minimum_and_denoises()
    {
        using var scope = NewDisposeScope();
        var truth = zeros([2, 1, 24, 24], Double);
        truth.narrow(2, 6, 10).narrow(3, 8, 12).fill_(1);
        using var all = new Inpainting(ones(24, 24));
        var y = all.Measure(truth, 0.2);
        var x = Classical.TotalVariation(all, y, 0.2, 300);
        var least = Classical.TotalVariationObjective(all, y, 0.2, x);
        Assert.True((least < Classical.TotalVariationObjective(all, y, 0.2, y)).all().item<bool>());
        // Convex: no neighbour is better, by more than the iteration leaves.
        for (ulong seed = 1; seed < 6; seed++)
            Assert.True((Classical.TotalVariationObjective(all, y, 0.2, x + 0.01 * OperatorTests.Random(seed, x.shape)) > least - 1e-3).all().item<bool>());
        double before = (y - truth).square().mean().item<double>(), after = (x - truth).square().mean().item<double>();
        Assert.True(after < before / 4, $"{before:g3} to {after:g3}");
        using var scan = new Radon(24, 24, Radon.Angles(12));
        var sinogram = scan.Measure(truth, 0.1);
        double fbp = (scan.FilteredBackProjection(sinogram) - truth).square().mean().item<double>(), tv = (Classical.TotalVariation(scan, sinogram, 0.1, 300) - truth).square().mean().item<double>();
        Assert.True(tv < fbp / 3, $"{fbp:g3} to {tv:g3}");
    }

    [Fact]
    public void Bicubic_keeps_straight_lines()
    {
        using var scope = NewDisposeScope();
        var line = arange(8, Double).view(1, 1, 1, 8).expand(1, 1, 8, 8);
        var got = Classical.Bicubic(line, 3);
        var want = ((arange(24, Double) + 0.5) / 3 - 0.5).view(1, 1, 1, 24).expand(1, 1, 24, 24);
        Assert.True(OperatorTests.Near(got.narrow(3, 6, 12), want.narrow(3, 6, 12), 1e-12));
    }
}
