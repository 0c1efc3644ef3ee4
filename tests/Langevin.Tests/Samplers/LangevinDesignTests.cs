using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

public class LangevinDesignTests
{
    [Fact]
    public void The_largest_distance_is_that_of_the_farthest_pair_across_blocks()
    {
        using var scope = NewDisposeScope();
        var data = zeros(1500, 3, 4);
        data[3] += 2;     // 2 √12 from the rest
        data[1400] -= 1;  // 3 √12 from row 3
        Assert.Equal(3 * Math.Sqrt(12), LangevinDesign.LargestDistance(data), 1e-9);
        Assert.Throws<ArgumentException>(() => LangevinDesign.LargestDistance(zeros(1, 3)));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(784)]
    [InlineData(3 * 32 * 32)]
    public void The_ratio_solves_its_equation(int dimensions)
    {
        double ratio = LangevinDesign.Ratio(dimensions);
        Assert.True(ratio > 1);
        Assert.Equal(0.5, LangevinDesign.Overlap(dimensions, ratio), 1e-9);
        // Where 6γ is many standard deviations one Φ is 1, and the equation is √(2D) (γ − 1) = 3 γ.
        double root = Math.Sqrt(2.0 * dimensions);
        if (dimensions > 100) Assert.Equal(root / (root - 3), ratio, 1e-6);
    }

    [Fact]
    public void Too_few_dimensions_have_no_ratio() => Assert.Throws<ArgumentOutOfRangeException>(() => LangevinDesign.Ratio(4));

    [Fact]
    public void The_overlap_is_the_share_of_one_shell_in_the_next()
    {
        // Large D: ‖N(0, σ²γ² I)‖ is N(√D γσ, γ²σ²/2); what of the smaller level, N(√D σ, σ²/2), lies within 3 standard deviations of it.
        const int dimensions = 2000;
        const double ratio = 1.04;
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var norms = randn([20_000, dimensions], generator: generator).square().sum(1).sqrt();
        double within = ((norms - Math.Sqrt(dimensions) * ratio).abs() < 3 * ratio / Math.Sqrt(2)).to(ScalarType.Float64).mean().item<double>();
        Assert.Equal(LangevinDesign.Overlap(dimensions, ratio), within, 0.015); // four standard errors of 20,000 draws are 0.014
    }

    /// <summary>σ_1, L, T and ε that the paper's table prints for σ_L = 0.01.</summary>
    [Theory]
    [InlineData(50, 232, 5, 6.2e-6)]
    [InlineData(90, 500, 5, 3.3e-6)]
    public void The_best_step_is_the_published_one(double largest, int levels, int steps, double epsilon)
    {
        double ratio = Math.Pow(largest / 0.01, 1.0 / (levels - 1));
        Assert.Equal(epsilon, LangevinDesign.BestStep(ratio, steps) * 1e-4, 0.05e-6 + 0.03 * epsilon);
    }

    [Theory]
    [InlineData(1.5, 0.2, 3)]
    [InlineData(1.1, 0.05, 7)]
    public void The_variance_ratio_is_that_of_the_sampler(double ratio, double step, int steps)
    {
        // All data at the origin: the score at σ is −x/σ², and the sampler's variance is a recursion of its own.
        const double sigma = 0.3;
        var process = new VarianceExploding(sigma / 2, 10);
        using var scope = NewDisposeScope();
        using var point = new GaussianMixture(process, ones(1, ScalarType.Float64), zeros([1, 1], ScalarType.Float64), zeros(1, ScalarType.Float64));
        var grid = TimeGrid.FromSigmas(process, [sigma, 0]);
        var x = new SeededNoise(1).Next(empty([200_000, 1], ScalarType.Float64)) * ratio * sigma;
        var end = new AnnealedLangevin(step * sigma * sigma, steps, Denoise: false).Run(point, x, grid, noise: new SeededNoise(2));
        double seen = end.square().mean().item<double>() / (sigma * sigma);
        double said = LangevinDesign.VarianceRatio(ratio, step, steps);
        Assert.Equal(said, seen, 4 * said * Math.Sqrt(2.0 / 200_000));
        Assert.NotEqual(1, said, 0.02);
    }

    [Fact]
    public void A_design_reaches_from_the_largest_distance_to_the_smallest_level()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var data = randn([600, 32], generator: generator);
        var design = LangevinDesign.For(data, 0.02, 5);
        Assert.Equal(LangevinDesign.LargestDistance(data), design.Sigmas[0], 1e-9);
        Assert.Equal(0.02, design.Sigmas[^1], 1e-9);
        double ratio = design.Sigmas[0] / design.Sigmas[1];
        Assert.InRange(ratio, 1, LangevinDesign.Ratio(32));
        double best = LangevinDesign.VarianceRatio(ratio, design.Epsilon / 4e-4, 5);
        foreach (double other in new[] { 0.9, 1.1 }) Assert.True(best < LangevinDesign.VarianceRatio(ratio, other * design.Epsilon / 4e-4, 5));
        Assert.Throws<ArgumentException>(() => LangevinDesign.Between(1, 2, 1.1, 5));
    }
}
