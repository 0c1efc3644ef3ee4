using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class FrechetDistanceTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(7);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(long n, long d) => randn([n, d], float64, generator: random);

    [Fact]
    public void Equals_the_closed_form_of_commuting_Gaussians()
    {
        // d² = |Δm|² + Σ (√λᵢ − √μᵢ)² in a common eigenbasis.
        var basis = linalg.qr(Normal(6, 6)).Q;
        double[] l = [4, 1, 0.25, 9, 0, 2], m = [1, 1, 4, 0, 0, 3];
        var (s1, s2) = (basis.mm(diag(tensor(l))).mm(basis.t()), basis.mm(diag(tensor(m))).mm(basis.t()));
        var (m1, m2) = (Normal(1, 6)[0], Normal(1, 6)[0]);
        double expected = (m1 - m2).square().sum().item<double>() + l.Zip(m, (a, b) => Math.Pow(Math.Sqrt(a) - Math.Sqrt(b), 2)).Sum();
        Assert.Equal(expected, FrechetDistance.Between(m1, s1, m2, s2), 1e-10);
    }

    [Fact]
    public void Equals_the_closed_form_of_two_by_two_covariances()
    {
        // tr (S₁S₂)^½ = √(tr S₁S₂ + 2 √det S₁S₂) for 2 × 2, commuting or not.
        var (a, b) = (Normal(2, 2), Normal(2, 2));
        var (s1, s2, zero) = (a.mm(a.t()), b.mm(b.t()), zeros(2, float64));
        double root = Math.Sqrt(s1.mm(s2).trace().item<double>() + 2 * Math.Sqrt(linalg.det(s1).item<double>() * linalg.det(s2).item<double>()));
        double expected = s1.trace().item<double>() + s2.trace().item<double>() - 2 * root;
        Assert.Equal(expected, FrechetDistance.Between(zero, s1, zero, s2), 1e-10);
    }

    [Theory]
    [InlineData(20, 3)]
    [InlineData(6, 40)]
    public void Is_zero_for_identical_and_symmetric_and_blind_to_order(long n, long d)
    {
        var (x, y) = (Normal(n, d), Normal(n + 3, d) * 2 + 1);
        Assert.Equal(0, FrechetDistance.Between(x, x), 1e-9);
        double distance = FrechetDistance.Between(x, y);
        Assert.True(distance > 0.1);
        Assert.Equal(distance, FrechetDistance.Between(y, x), 1e-9);
        Assert.Equal(distance, FrechetDistance.Between(x.index_select(0, randperm(n)), y), 1e-9);
    }

    [Fact]
    public void A_shift_adds_its_square_where_samples_are_fewer_than_features()
    {
        var x = Normal(5, 32);
        Assert.Equal(32 * 0.25, FrechetDistance.Between(x, x + 0.5), 1e-9);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(600)]
    public void Streaming_and_merging_equal_one_shot(long d)
    {
        var x = Normal(101, d) * 3 + 1000;
        using var whole = FeatureStatistics.Of(x);
        using var left = new FeatureStatistics(d);
        using var right = new FeatureStatistics(d);
        foreach (var (start, count) in ((long, long)[])[(0, 1), (1, 30), (31, 0), (31, 10)]) left.Add(x.narrow(0, start, count));
        right.Add(x.narrow(0, 41, 60));
        left.Merge(right);
        left.Merge(new FeatureStatistics(d));
        var centred = x - x.mean([0]);
        var expected = centred.t().mm(centred) / 100;
        Assert.Equal(101, left.Count);
        Assert.Equal(60, right.Count);
        Assert.True(left.Mean().allclose(x.mean([0]), 1e-14, 1e-10));
        Assert.True(whole.Covariance().allclose(expected, 1e-10, 1e-10));
        Assert.True(left.Covariance().allclose(expected, 1e-10, 1e-9));
    }

    [Fact]
    public void A_large_offset_in_float32_costs_no_digits_in_the_sums()
    {
        var x = (Normal(1000, 2) + 4096).to(float32);
        using var statistics = new FeatureStatistics(2);
        for (long i = 0; i < 1000; i += 10) statistics.Add(x.narrow(0, i, 10));
        Assert.True(statistics.Covariance().allclose(FeatureStatistics.Of(x).Covariance(), 1e-9, 1e-12));
    }

    [Theory]
    [InlineData(60, 8)]
    [InlineData(10, 32)]
    public void A_prepared_reference_gives_the_same(long n, long d)
    {
        var (x, y) = (Normal(n, d), Normal(n + 5, d) * 1.5 + 0.3);
        using var reference = FeatureStatistics.Of(x);
        using var other = FeatureStatistics.Of(y);
        using var prepared = new FrechetReference(reference);
        Assert.Equal(FrechetDistance.Between(x, y), prepared.To(other), 1e-5);
        Assert.Equal(0, prepared.To(reference), 1e-5);
        using var narrow = new FeatureStatistics(d - 1);
        Assert.Throws<ArgumentException>(() => prepared.To(narrow));
    }

    [Fact]
    public void Leaves_no_tensors() => Leak.None(() =>
    {
        using var x = randn(30, 4);
        using var statistics = new FeatureStatistics(4);
        statistics.Add(x);
        statistics.Merge(statistics);
        FrechetDistance.Between(statistics, statistics);
        using var prepared = new FrechetReference(statistics);
        prepared.To(statistics);
    });

    [Fact]
    public void Refuses_what_has_no_meaning()
    {
        var x = Normal(4, 3);
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(x, Normal(4, 2)));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(x, Normal(1, 3)));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(x, x * double.NaN));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(x, zeros(4, 3, int64)));
        Assert.Throws<ArgumentException>(() => new FeatureStatistics(2).Add(x));
        Assert.Throws<InvalidOperationException>(() => new FeatureStatistics(2).Covariance());
    }
}
