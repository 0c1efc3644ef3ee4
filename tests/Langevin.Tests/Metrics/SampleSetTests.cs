using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Closed forms and properties of the metrics between two sets of samples.</summary>
public sealed class SampleSetTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(11);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(long n, long d) => randn([n, d], float64, generator: random);

    [Fact]
    public void Kernel_distance_is_zero_in_expectation_and_sees_a_shift()
    {
        double[] draws = [.. Enumerable.Range(0, 200).Select(_ => MeanDiscrepancy.Squared(Normal(20, 4), Normal(30, 4), KernelDistance.Cubic))];
        double mean = draws.Average(), error = Math.Sqrt(draws.Average(d => (d - mean) * (d - mean)) / draws.Length);
        Assert.InRange(mean / error, -3.5, 3.5);
        Assert.Contains(draws, d => d < 0);
        Assert.True(KernelDistance.Between(Normal(300, 4), Normal(300, 4) + 1, 20, 100).Mean > 10 * error);
    }

    [Fact]
    public void Gaussian_discrepancy_of_two_points_is_the_closed_form()
    {
        // Two coincident points against two coincident points at distance r: 2 − 2 exp(−r²/2σ²).
        var (x, y) = (zeros([2, 3], float64), zeros([2, 3], float64) + 0.5);
        double expected = 2 - 2 * Math.Exp(-0.75 / (2 * 1.5 * 1.5));
        foreach (var estimate in Enum.GetValues<DiscrepancyEstimate>())
            Assert.Equal(expected, MeanDiscrepancy.Squared(x, y, new Kernel.Gaussian(1.5), estimate), 1e-12);
    }

    [Fact]
    public void Kernel_distance_repeats_with_its_seed_and_caps_the_subset()
    {
        var (x, y) = (Normal(50, 4), Normal(40, 4));
        Assert.Equal(KernelDistance.Between(x, y, 5, 20, seed: 3), KernelDistance.Between(x, y, 5, 20, seed: 3));
        Assert.NotEqual(KernelDistance.Between(x, y, 5, 20, seed: 3).Mean, KernelDistance.Between(x, y, 5, 20, seed: 4).Mean);
        var whole = KernelDistance.Between(x, x, 3, 1000);
        Assert.Equal(50, whole.SubsetSize);
        Assert.Equal(0, whole.StandardDeviation, 1e-12);
    }

    [Fact]
    public void Inception_score_is_one_for_equal_and_K_for_clear_and_even_predictions()
    {
        Assert.Equal(1, InceptionScore.Of(zeros([30, 5], float64) + Normal(1, 5), 3).Mean, 1e-12);
        Assert.Equal(5, InceptionScore.Of((eye(5, dtype: float64) * 200).repeat(6, 1), 3).Mean, 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => InceptionScore.Of(Normal(3, 2), 4));
    }

    [Fact]
    public void Precision_and_recall_are_one_for_identical_and_zero_for_disjoint_sets()
    {
        var x = Normal(200, 8);
        // A ball, exclusive at its k-th neighbour, holds its own centre and the k − 1 nearer ones: density is 1.
        Assert.Equal(new PrecisionRecallResult(1, 1, 1, 1, 5), PrecisionRecall.Between(x, x, 5));
        Assert.Equal(new PrecisionRecallResult(0, 0, 0, 0, 5), PrecisionRecall.Between(x, x + 100, 5));
    }

    [Fact]
    public void Lost_modes_lower_recall_and_not_precision()
    {
        var (left, right) = (Normal(200, 2), Normal(200, 2) + 50);
        var result = PrecisionRecall.Between(cat([left, right]), Normal(200, 2), 5);
        Assert.True(result.Precision > 0.9);
        Assert.InRange(result.Recall, 0.3, 0.55);
        Assert.InRange(result.Coverage, 0.3, 0.55);
    }

    [Fact]
    public void Precision_and_recall_swap_with_the_sets_and_ignore_order()
    {
        var (x, y) = (Normal(80, 3), Normal(90, 3) * 1.3 + 0.3);
        var (forth, back) = (PrecisionRecall.Between(x, y, 3), PrecisionRecall.Between(y, x, 3));
        Assert.Equal((forth.Precision, forth.Recall), (back.Recall, back.Precision));
        Assert.Equal(forth, PrecisionRecall.Between(x.flip(0), y.flip(0), 3));
        Assert.Equal(forth, PrecisionRecall.Between(x + 1e4, y + 1e4, 3));
    }

    [Fact]
    public void Blocks_do_not_change_the_result()
    {
        // 2,600 rows take two blocks; the oracle holds all distances at once.
        var (x, y) = (Normal(2600, 3), Normal(2500, 3) + 0.5);
        var result = PrecisionRecall.Between(x, y, 3);
        var all = cdist(x, y, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist);
        var radii = cdist(x, x, 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist).topk(4, 1, largest: false).values.select(1, 3);
        var inside = all.lt(radii.unsqueeze(1));
        Assert.Equal(inside.any(0).to(float64).mean().item<double>(), result.Precision, 1e-12);
        Assert.Equal(inside.any(1).to(float64).mean().item<double>(), result.Coverage, 1e-12);
    }

    [Fact]
    public void Memorisation_sees_copies_and_their_origin()
    {
        var (training, heldOut) = (Normal(500, 16).view(500, 4, 4), Normal(300, 16).view(300, 4, 4));
        var fresh = Memorisation.Check(Normal(300, 16).view(300, 4, 4), training, heldOut, 5);
        Assert.InRange(fresh.MedianRatio, 0.9, 1.1);
        Assert.InRange(fresh.NearerShare, 0.01, 0.12);
        Assert.Equal(0, fresh.Duplicates);
        var copied = cat([Normal(3, 16).view(3, 4, 4), training[123].unsqueeze(0), training[7].unsqueeze(0) + 1e-4]);
        var result = Memorisation.Check(copied, training, heldOut, 1, pairs: 2);
        Assert.Equal(1, result.Duplicates);
        Assert.Equal(new ClosestPair(3, 123, 0), result.Closest[0]);
        Assert.Equal((4, 7), (result.Closest[1].Sample, result.Closest[1].Training));
        Assert.Equal(4e-4, result.Closest[1].Distance, 1e-9);
    }

    [Fact]
    public void Memorisation_distances_are_exact_far_from_the_origin()
    {
        var training = (Normal(400, 6) * 0.01 + 300).to(float32);
        var samples = training.index_select(0, arange(0, 400, 4)) + 0.001f;
        var result = Memorisation.Check(samples, training, training + 0.003f);
        var exact = cdist(samples.to(float64), training.to(float64), 2, TorchSharp.compute_mode.donot_use_mm_for_euclid_dist).min(1).values;
        Assert.Equal(exact.quantile(tensor(0.5, float64)).item<double>(), result.SampleMedian, 1e-9);
    }

    [Fact]
    public void Bootstrap_covers_the_mean_and_repeats_with_its_seed()
    {
        int covered = 0;
        for (int trial = 0; trial < 60; trial++)
        {
            var x = Normal(40, 1)[TensorIndex.Colon, 0];
            covered += Bootstrap.Interval(40, i => x[i].mean().item<double>(), 100, 0.9, seed: trial).Contains(0) ? 1 : 0;
        }
        Assert.InRange(covered, 45, 59);
        var y = Normal(30, 1);
        Interval Once(long seed) => Bootstrap.Interval(30, i => y[i].mean().item<double>(), 50, seed: seed);
        Assert.Equal(Once(1), Once(1));
        Assert.NotEqual(Once(1), Once(2));
    }

    [Fact]
    public void A_recentred_interval_holds_the_estimate_of_a_biased_statistic()
    {
        var (x, y) = (Normal(60, 12), Normal(400, 12));
        double estimate = FrechetDistance.Between(x, y);
        double Statistic(Tensor i) => FrechetDistance.Between(x[i], y);
        Assert.False(Bootstrap.Interval(60, Statistic, 60).Contains(estimate));
        Assert.True(Bootstrap.Interval(60, Statistic, 60, recentre: true).Contains(estimate));
    }

    [Theory]
    [InlineData(0, 10, 0, 0.2775)]
    [InlineData(10, 10, 0.7225, 1)]
    [InlineData(8, 10, 0.4902, 0.9433)]
    [InlineData(475, 500, 0.9272, 0.9659)]
    public void Wilson_interval_equals_published_values(long successes, long trials, double low, double high)
    {
        var interval = Interval.Wilson(successes, trials);
        Assert.Equal(low, interval.Low, 1e-4);
        Assert.Equal(high, interval.High, 1e-4);
    }

    [Fact]
    public void Agreement_counts_by_class_and_names_the_confusion()
    {
        var labels = tensor(new long[] { 0, 0, 0, 2, 2, 1 });
        var named = tensor(new long[] { 0, 2, 2, 2, 2, 0 });
        var result = Agreement.Of(nn.functional.one_hot(named, 4).to(float32), labels);
        Assert.Equal(0.5, result.Accuracy, 1e-12);
        Assert.Equal([new(0, 3, 1, 2), new(1, 1, 0, 0), new(2, 2, 2, -1), new ClassAgreement(3, 0, 0, -1)], result.Classes);
        Assert.Null(result.Classes[3].Accuracy);
        Assert.Throws<ArgumentException>(() => Agreement.Of(zeros(6, 2), labels));
        Assert.Throws<ArgumentException>(() => Agreement.Of(zeros(5, 4), labels));
    }

    [Fact]
    public void Leave_no_tensors() => Leak.None(() =>
    {
        using var x = randn(60, 4);
        using var y = randn(50, 4);
        using var labels = zeros(60, int64);
        KernelDistance.Between(x, y, 3, 20);
        MeanDiscrepancy.Squared(x, y, new Kernel.Gaussian());
        InceptionScore.Of(x);
        PrecisionRecall.Between(x, y);
        Memorisation.Check(x, y, y);
        Agreement.Of(x, labels);
        Bootstrap.Interval(60, i => x[i].mean().item<float>(), 10);
    });
}
