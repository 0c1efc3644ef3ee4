using Langevin.Metrics;
using Langevin.Metrics.Distributions;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class PermutationTestTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(9);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(params long[] shape) => randn(shape, float64, generator: random);

    private static (Tensor x, Tensor y) Few(double shift) =>
        (TestSignals.Noise(6, 31).unsqueeze(1), (TestSignals.Noise(5, 32) + shift).unsqueeze(1));

    private static readonly Func<Tensor, Tensor, int, long, PermutationTestResult>[] Tests =
    [
        PermutationTest.Energy,
        (x, y, permutations, seed) => PermutationTest.SlicedWasserstein(x, y, 16, permutations, seed),
        (x, y, permutations, seed) => PermutationTest.MeanDiscrepancy(x, y, null, permutations, seed),
    ];

    // SciPy 1.10.1: stats.permutation_test, independent, all 462 divisions, of stats.energy_distance squared, of
    // stats.wasserstein_distance, and of the unbiased squared discrepancy under the Gaussian kernel of the median distance.
    [Theory]
    [InlineData(0.35, 0, 0.05998901871446935, 0.5887445887445888)]
    [InlineData(0.35, 1, 0.13666812577284873, 0.5692640692640693)]
    [InlineData(0.35, 2, -0.03843363716721804, 0.4329004329004329)]
    [InlineData(0.75, 0, 0.43875618555996987, 0.032467532467532464)]
    [InlineData(0.75, 1, 0.4480479344570388, 0.032467532467532464)]
    [InlineData(0.75, 2, 0.37600135731391626, 0.03463203463203463)]
    public void Statistics_equal_those_of_SciPy_and_chances_come_near_those_of_all_divisions(double shift, int test, double statistic, double p)
    {
        var (x, y) = Few(shift);
        const int permutations = 20_000;
        var result = Tests[test](x, y, permutations, 1);
        Assert.Equal(statistic, result.Statistic, 1e-12);
        Assert.Equal(p, result.PValue, 4 * Math.Sqrt(p * (1 - p) / permutations));
        Assert.Equal(permutations, result.Permutations);
    }

    [Fact]
    public void Statistics_are_those_of_the_distances()
    {
        var (x, y) = (Normal(40, 3) + 100, Normal(30, 3) + 100.5);
        Assert.Equal(TwoSample.EnergySquared(x, y), PermutationTest.Energy(x, y, 1).Statistic, 1e-12);
        Assert.Equal(TwoSample.SlicedWasserstein1(x, y, 16, seed: 2), PermutationTest.SlicedWasserstein(x, y, 16, 1, seed: 2).Statistic, 1e-12);
        var kernel = new Kernel.Gaussian(1.5);
        Assert.Equal(MeanDiscrepancy.Squared(x, y, kernel), PermutationTest.MeanDiscrepancy(x, y, kernel, 1).Statistic, 1e-12);
        // numpy.median of scipy.spatial.distance.pdist; the second by hand over 1, 2, 3, 3, 4, 6.
        var (a, b) = Few(0.35);
        Assert.Equal(0.26235956558957696, PermutationTest.MedianBandwidth(cat([a, b])), 1e-14);
        Assert.Equal(3, PermutationTest.MedianBandwidth(tensor(new[] { 0.0, 2, 3, 6 }).unsqueeze(1)), 1e-14);
    }

    [Fact]
    public void The_level_is_kept_under_one_distribution()
    {
        // With 99 permutations p is uniform on 1/100, ..., 1: of 200 trials the share at most 0.1 has a standard error of 0.021.
        foreach (var test in Tests)
        {
            double[] p = [.. Enumerable.Range(0, 200).Select(i => test(Normal(12, 2), Normal(9, 2), 99, i).PValue)];
            Assert.Equal(0.1, p.Count(v => v <= 0.1) / 200.0, 0.085);
            Assert.Equal(0.505, p.Average(), 0.082);
        }
    }

    [Fact]
    public void Differences_of_spread_alone_are_found_and_equal_samples_are_not_different()
    {
        foreach (var test in Tests)
        {
            Assert.Equal(0.005, test(Normal(150, 2), 3 * Normal(150, 2), 199, 0).PValue, 1e-12);
            var x = Normal(30, 2);
            Assert.Equal(1, test(x, x, 199, 0).PValue);
            Assert.Equal(test(x, x + 0.3, 99, 5), test(x, x + 0.3, 99, 5));
        }
    }

    [Fact]
    public void Bad_input_is_refused_and_nothing_is_left_behind()
    {
        var (x, y) = (Normal(10, 2), Normal(8, 2));
        foreach (var test in Tests)
        {
            Assert.Throws<ArgumentException>(() => test(x, y.narrow(1, 0, 1), 9, 0));
            Assert.Throws<ArgumentException>(() => test(x * double.NaN, y, 9, 0));
            Assert.Throws<ArgumentOutOfRangeException>(() => test(x, y, 0, 0));
            Leak.None(() => test(x, y, 9, 0));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => PermutationTest.SlicedWasserstein(x, y, 0));
        // All pairs of so many samples would not fit; sorted projections do.
        var many = Normal(8_190, 1);
        Assert.Contains("too many", Assert.Throws<ArgumentException>(() => PermutationTest.Energy(many, x.narrow(1, 0, 1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => PermutationTest.MeanDiscrepancy(many, x.narrow(1, 0, 1)));
        Assert.Equal(0.1, PermutationTest.SlicedWasserstein(many, many + 1, 1, 9).PValue, 1e-12);
        Assert.Contains("equal", Assert.Throws<ArgumentException>(() => PermutationTest.MeanDiscrepancy(zeros(9, 2), ones(2, 2))).Message, StringComparison.Ordinal);
    }
}
