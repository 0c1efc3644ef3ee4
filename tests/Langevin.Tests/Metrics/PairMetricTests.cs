using Langevin.Metrics;
using Langevin.Metrics.Distributions;
using Langevin.Metrics.Images;
using Langevin.Metrics.PointClouds;
using Langevin.Metrics.Segmentation;
using Langevin.Metrics.Series;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

public sealed class PairMetricTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(3);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(params long[] shape) => randn(shape, float64, generator: random);

    [Fact]
    public void Equal_images_are_perfectly_similar_and_noise_lowers_similarity()
    {
        var x = Normal(2, 3, 20, 24).sigmoid();
        Assert.True(StructuralSimilarity.Between(x, x, 1).allclose(ones(2, float64)));
        Assert.True(StructuralSimilarity.Between(x, 1 - x, 1).lt(0).all().item<bool>());
        Assert.True(double.IsPositiveInfinity(ImageError.PeakSignalToNoise(x, x, 1)[0].item<double>()));
        Assert.Equal(20, ImageError.PeakSignalToNoise(x, x + 0.1, 1)[0].item<double>(), 1e-9);
        Assert.Equal(20 + 20 * Math.Log10(2), ImageError.PeakSignalToNoise(x, x + 0.1, 2)[0].item<double>(), 1e-9);
        Assert.Throws<ArgumentException>(() => StructuralSimilarity.Between(x.narrow(2, 0, 8), x.narrow(2, 0, 8), 1));
        Assert.Throws<ArgumentException>(() => StructuralSimilarity.MultiScale(x, x, 1));
    }

    [Fact]
    public void Similarity_of_constant_images_is_the_luminance_term()
    {
        var (x, y) = (full([1, 1, 11, 11], 0.5, float64), full([1, 1, 11, 11], 0.8, float64));
        double expected = (2 * 0.4 + 1e-4) / (0.25 + 0.64 + 1e-4);
        Assert.Equal(expected, StructuralSimilarity.Between(x, y, 1)[0].item<double>(), 1e-9);
    }

    [Fact]
    public void Overlap_of_small_masks_by_hand()
    {
        var a = tensor(new long[] { 1, 1, 0, 0, 0, 0, 1, 0 }).view(2, 4);
        var b = tensor(new long[] { 0, 1, 1, 1, 0, 0, 0, 0 }).view(2, 4);
        Assert.Equal([2.0 * 1 / 5, 0], Overlap.Dice(a, b).data<double>().ToArray());
        Assert.Equal([1.0 / 4, 0], Overlap.Iou(a, b).data<double>().ToArray());
        Assert.Equal([1.0], Overlap.Iou(a * 0, b * 0).data<double>().ToArray().Distinct());
        Assert.Equal(0, MaskEnsemble.EnergyDistanceSquared(a, a), 1e-12);
        Assert.Equal(1, MaskEnsemble.MatchedIou(a, a.flip(0)), 1e-12);
        Assert.Equal(1, MaskEnsemble.SoftDice(a, a.flip(0)), 1e-12);
    }

    [Fact]
    public void Hausdorff_distance_of_squares_by_hand()
    {
        Tensor Square(long at, long side)
        {
            var mask = zeros(32, 32);
            mask.narrow(0, at, side).narrow(1, at, side).fill_(1);
            return mask;
        }
        Assert.Equal(0, Hausdorff.Distance(Square(4, 9), Square(4, 9)), 1e-12);
        Assert.Equal(3 * Math.Sqrt(2), Hausdorff.Distance(Square(4, 9), Square(7, 9), 100), 1e-6);
        Assert.Equal(0, Hausdorff.Distance(zeros(32, 32), zeros(32, 32)));
        Assert.Equal(double.PositiveInfinity, Hausdorff.Distance(Square(1, 2), zeros(32, 32)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(6, 8)]
    [InlineData(7, 7)]
    public void Assignment_equals_the_best_of_all_matchings(int rows, int columns)
    {
        for (int trial = 0; trial < 20; trial++)
        {
            // Small integers make ties, real numbers make none; negative costs are costs too.
            var cost = trial % 2 == 0 ? Normal(rows, columns) : randint(0, 5, [rows, columns], int64, generator: random).to(float64);
            long[] matching = Assignment.Solve(cost).data<long>().ToArray();
            Assert.Equal(rows, matching.Distinct().Count());
            Assert.Equal(Best(cost.data<double>().ToArray(), rows, columns, 0, 0), matching.Select((c, r) => cost[r, c].item<double>()).Sum(), 1e-9);
        }
    }

    /// <summary>Least cost of matching the rows from <paramref name="row"/> on to unused columns, by trying all.</summary>
    private static double Best(double[] cost, int rows, int columns, int row, int used) => row == rows ? 0 :
        Enumerable.Range(0, columns).Where(c => (used >> c & 1) == 0)
            .Min(c => cost[row * columns + c] + Best(cost, rows, columns, row + 1, used | 1 << c));

    [Fact]
    public void Assignment_of_many_points_is_optimal_by_its_dual()
    {
        // On a line the best matching of |x − y| joins equal ranks.
        var (x, y) = (Normal(300), Normal(300));
        var matching = Assignment.Solve((x.unsqueeze(1) - y.unsqueeze(0)).abs());
        double expected = (x.sort(0).Values - y.sort(0).Values).abs().sum().item<double>();
        Assert.Equal(expected, (x - y.index_select(0, matching)).abs().sum().item<double>(), 1e-9);
        Assert.Throws<ArgumentException>(() => Assignment.Solve(zeros(3, 2)));
        Assert.Throws<ArgumentException>(() => Assignment.Solve(zeros(2, 2) * double.NaN));
    }

    [Fact]
    public void Cloud_distances_ignore_the_order_of_points_and_vanish_for_equal_clouds()
    {
        var a = Normal(2, 40, 3);
        var b = a.index_select(1, randperm(40));
        Assert.Equal(0, Chamfer.Squared(a, b).abs().max().item<double>());
        Assert.Equal(0, EarthMover.Between(a, b).cost.abs().max().item<double>());
        Assert.Equal(1, Chamfer.FScore(a, b, 1e-6).min().item<double>());
        Assert.Equal(0, CloudSets.JensenShannon(a, b), 1e-12);
        // A shift moves every point by its length: no matching is cheaper.
        var shift = tensor(new[] { 3.0, 4.0, 0.0 });
        Assert.Equal(5, EarthMover.Between(a, a + shift).cost[0].item<double>(), 1e-9);
        Assert.Equal(25, EarthMover.Between(a, a + shift, squared: true).cost[0].item<double>(), 1e-9);
        Assert.Equal(1, CloudSets.JensenShannon(a * 0 - 0.2, a * 0 + 0.2), 1e-12);
    }

    [Fact]
    public void Nearest_neighbour_accuracy_is_one_for_distant_and_about_a_half_for_equal_sets()
    {
        Tensor Squared(Tensor x, Tensor y) => Distances.Squared(x, y);
        var (x, y) = (Normal(200, 2), Normal(200, 2));
        Assert.InRange(CloudSets.NearestNeighbourAccuracy(Squared(x, x), Squared(x, y), Squared(y, y)), 0.4, 0.6);
        y = y + 100;
        Assert.Equal(1, CloudSets.NearestNeighbourAccuracy(Squared(x, x), Squared(x, y), Squared(y, y)));
    }

    [Fact]
    public void Ensemble_score_approaches_the_closed_form_of_a_normal_forecast()
    {
        // CRPS of N(0, 1) at y: y (2Φ(y) − 1) + 2φ(y) − 1/√π (Gneiting and Raftery 2007).
        double y = 0.7, density = Math.Exp(-y * y / 2) / Math.Sqrt(2 * Math.PI), erf = tensor(y / Math.Sqrt(2), float64).erf().item<double>();
        double expected = y * erf + 2 * density - 1 / Math.Sqrt(Math.PI);
        var score = Crps.Ensemble(Normal(200, 400), full(200, y, float64), fair: true);
        Assert.Equal(expected, score.mean().item<double>(), 0.01);
        Assert.Equal(2, Crps.Ensemble(full([1, 1], 5.0, float64), full(1, 3.0, float64))[0].item<double>(), 1e-12);
    }

    [Fact]
    public void Normalised_score_of_a_certain_forecast_is_its_relative_error()
    {
        var target = Normal(4, 5).abs() + 1;
        var forecast = (target * 1.1).unsqueeze(1).expand(4, 7, 5);
        // Twice the quantile loss averages to |error| over symmetric levels.
        Assert.Equal(0.1, Crps.Normalised(forecast, target), 1e-9);
        var mask = zeros_like(target);
        mask[0, 0] = 1;
        Assert.Equal(0.1, Crps.Normalised(forecast, target, mask), 1e-9);
        Assert.Throws<ArgumentException>(() => Crps.Normalised(forecast, target * 0));
    }

    [Fact]
    public void Wasserstein_is_that_of_the_distributions_whatever_the_sizes()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var (x, y) = (randn([6, 3], float64), randn([4, 3], float64));
        // Every item said over again is the same distribution: 6 and 4 go the general way, 12 and 12, and 12 and 4, by quantiles.
        var general = TwoSample.Wasserstein1(x, y);
        Assert.True(TwoSample.Wasserstein1(cat([x, x]), cat([y, y, y])).allclose(general, 1e-12, 1e-12));
        Assert.True(TwoSample.Wasserstein1(y, cat([x, x])).allclose(general, 1e-12, 1e-12));
    }

    [Fact]
    public void Two_sample_distances_of_a_shift_are_the_shift()
    {
        var x = Normal(50, 2);
        var y = cat([x, x]) + 0.75;
        Assert.True(TwoSample.Wasserstein1(x, y).allclose(full(2, 0.75, float64)));
        Assert.Equal(0, TwoSample.EnergySquared(x, cat([x, x])), 1e-12);
        Assert.Equal(1, TwoSample.KolmogorovSmirnov(x, x + 100)[0].item<double>(), 1e-12);
        Assert.Equal(2 * 0.5 - 0 - 0, TwoSample.EnergySquared(zeros([1, 1], float64), zeros([3, 1], float64) + 0.5), 1e-12);
        double sliced = TwoSample.SlicedWasserstein1(x, x + 1, 256);
        // E|cos θ + sin θ| over the circle is 2√2/π.
        Assert.Equal(2 * Math.Sqrt(2) / Math.PI, sliced, 0.1);
    }

    [Fact]
    public void Leave_no_tensors() => Leak.None(() =>
    {
        using var image = rand(1, 1, 176, 176);
        using var clouds = randn(2, 10, 3);
        using var forecast = randn(3, 5, 2);
        using var target = randn(3, 2);
        using var mask = randint(2, [2, 9, 9]);
        using var a = StructuralSimilarity.MultiScale(image, image, 1);
        using var b = ImageError.PeakSignalToNoise(image, image, 1);
        using var c = Chamfer.Pairwise(clouds, clouds);
        var (d, e) = EarthMover.Between(clouds, clouds);
        d.Dispose();
        e.Dispose();
        CloudSets.Coverage(c);
        CloudSets.NearestNeighbourAccuracy(c, c, c);
        CloudSets.JensenShannon(clouds, clouds, 5);
        using var f = Crps.Ensemble(forecast, target);
        Crps.NormalisedSum(forecast, target);
        TwoSample.EnergySquared(target, target);
        TwoSample.SlicedWasserstein1(target, target);
        using var g = Overlap.Dice(mask, mask);
        MaskEnsemble.MatchedIou(mask, mask);
        MaskEnsemble.SoftDice(mask, mask);
        using var first = mask[0];
        Hausdorff.Distance(first, first);
    });
}
