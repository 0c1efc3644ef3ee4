using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class PairedTestTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static (Tensor first, Tensor second) Twenty()
    {
        var a = TestSignals.Noise(20, 21);
        return (a, a + 0.1 * TestSignals.Noise(20, 22) + 0.02);
    }

    private static (Tensor first, Tensor second) Eighty()
    {
        var a = TestSignals.Noise(80, 24);
        return (a, a + 0.1 * TestSignals.Noise(80, 25) + 0.005);
    }

    private static void Same(double statistic, double p, PairedTestResult result)
    {
        Assert.Equal(statistic, result.Statistic, Math.Abs(statistic) * 1e-10);
        Assert.Equal(p, result.PValue, p * 1e-10);
    }

    // SciPy 1.10.1: stats.ttest_rel; stats.wilcoxon, exact for 20, mode approx and correction False for 80.
    [Fact]
    public void Tests_equal_those_of_SciPy()
    {
        var (a, b) = Twenty();
        Same(-1.6928572565378686, 0.1068159821535582, PairedTest.StudentT(a, b));
        Same(78, 0.3299827575683594, PairedTest.Wilcoxon(a, b));
        (a, b) = Eighty();
        Same(-0.09334872014571884, 0.9258628665084159, PairedTest.StudentT(a, b));
        Same(1607, 0.9502827312117282, PairedTest.Wilcoxon(a, b));
        // With ties and zeros.
        var d = tensor(new double[] { -1, -1, 1, 0, 0, -1, 1, -1, 1, 1, -1, -1, -1, -2, 0, -1, -1, 0, 0, 1 });
        Same(37.5, 0.15729920705028516, PairedTest.Wilcoxon(d, zeros_like(d)));
    }

    // SciPy 1.10.1: stats.permutation_test of the mean, permutation_type samples, all 1,024 flips of the first ten differences.
    [Fact]
    public void Sign_flips_equal_those_of_SciPy_exactly_and_at_random()
    {
        var (a, b) = Twenty();
        (a, b) = (a.narrow(0, 0, 10), b.narrow(0, 0, 10));
        Same(-0.008891669879667469, 0.326171875, PairedTest.SignFlip(a, b));
        // 1,000 random ones: the standard error is 0.015.
        Assert.Equal(0.326171875, PairedTest.SignFlip(a, b, permutations: 1000, seed: 4).PValue, 0.06);
        Assert.Equal(PairedTest.SignFlip(a, b, 500, seed: 3), PairedTest.SignFlip(a, b, 500, seed: 3));
        // All differences alike: only the two flips of all of them are as far.
        Assert.Equal(2.0 / 64, PairedTest.SignFlip(ones(6), zeros(6)).PValue);
        Assert.Equal(2.0 / 64, PairedTest.Wilcoxon(tensor(new[] { 1.0, 2, 3, 4, 5, 6 }), zeros(6, float64)).PValue);
    }

    // SciPy 1.10.1: 2 stats.t.sf(|t|, ν).
    [Theory]
    [InlineData(0.5, 1, 0.7048327646991336)]
    [InlineData(2.0, 3, 0.1393259685588431)]
    [InlineData(-2.5, 10, 0.031446844236608776)]
    [InlineData(5, 30, 2.3296685467007786e-05)]
    [InlineData(1.96, 1e6, 0.04999606758526978)]
    [InlineData(1e-8, 5, 0.9999999924078662)]
    [InlineData(40, 4, 2.3340163226012694e-06)]
    [InlineData(12, 200, 2.42213600524666e-25)]
    public void Student_distribution_equals_that_of_SciPy(double t, double degrees, double p) =>
        Assert.Equal(p, SpecialFunctions.StudentTwoSided(t, degrees), p * 1e-9);

    [Fact]
    public void Student_and_normal_distributions_by_closed_forms()
    {
        // One degree of freedom is Cauchy's, two are algebraic; a normal deviate of 1.96 leaves 5 %.
        Assert.Equal(1 - 2 / Math.PI * Math.Atan(3), SpecialFunctions.StudentTwoSided(3, 1), 1e-14);
        Assert.Equal(1 - 1.5 / Math.Sqrt(2 + 1.5 * 1.5), SpecialFunctions.StudentTwoSided(1.5, 2), 1e-14);
        Assert.Equal(0.05, SpecialFunctions.NormalTwoSided(1.959963984540054), 1e-14);
        // I_x(1, b) = 1 − (1 − x)ᵇ.
        Assert.Equal(1 - Math.Pow(0.3, 4), SpecialFunctions.RegularisedBeta(1, 4, 0.7, 0.3), 1e-14);
    }

    [Fact]
    public void Order_changes_the_sign_alone_and_equal_samples_do_not_differ()
    {
        var (a, b) = Twenty();
        Func<Tensor, Tensor, PairedTestResult>[] tests = [PairedTest.StudentT, PairedTest.Wilcoxon, (x, y) => PairedTest.SignFlip(x, y, 999)];
        foreach (var test in tests)
        {
            var (one, other) = (test(a, b), test(b, a));
            Assert.Equal(-one.MeanDifference, other.MeanDifference, 1e-14);
            Assert.Equal(one.PValue, other.PValue, 1e-12);
            Assert.Equal(1, test(a, a).PValue);
            Assert.InRange(test(a, a + 1 + 0.01 * b).PValue, 0, 0.002);
            Assert.Throws<ArgumentException>(() => test(a, b.narrow(0, 0, 5)));
            Assert.Throws<ArgumentException>(() => test(a.narrow(0, 0, 1), b.narrow(0, 0, 1)));
            Assert.Throws<ArgumentException>(() => test(a, b * double.NaN));
        }
        Assert.Equal(0, PairedTest.StudentT(ones(4), zeros(4)).PValue);
    }

    [Fact]
    public void Interval_of_the_mean_difference_is_about_that_of_the_t_test()
    {
        var (a, b) = Eighty();
        var interval = PairedTest.MeanDifference(a, b, resamples: 4000);
        var d = a - b;
        double mean = d.mean().item<double>(), error = d.std(unbiased: false).item<double>() / Math.Sqrt(80);
        Assert.Equal(mean - 1.96 * error, interval.Low, 0.15 * error);
        Assert.Equal(mean + 1.96 * error, interval.High, 0.15 * error);
        Leak.None(() =>
        {
            PairedTest.MeanDifference(a, b, 10);
            PairedTest.StudentT(a, b);
            PairedTest.Wilcoxon(a, b);
            PairedTest.SignFlip(a, b, 100);
        });
    }
}
