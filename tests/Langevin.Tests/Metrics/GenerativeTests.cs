using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Metrics;

/// <summary>Closed forms and properties of diversity, novelty and alignment measures.</summary>
public sealed class GenerativeTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(5);

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor Normal(long n, long d) => randn([n, d], float64, generator: random);

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    public void Vendi_counts_orthogonal_samples_and_not_copies(double order)
    {
        var one = Normal(1, 6);
        Assert.Equal(1, VendiScore.Of(one.repeat(7, 1) * 3, order), 1e-9);
        Assert.Equal(6, VendiScore.Of(linalg.qr(Normal(6, 6)).Q, order), 1e-9);
        Assert.Equal(4, VendiScore.Of(eye(4, dtype: float64).repeat(5, 1), order), 1e-9);
    }

    [Fact]
    public void Vendi_of_two_samples_is_the_closed_form_and_ignores_order_and_scale()
    {
        // Eigenvalues of K/2 are (1 ± c)/2 for a cosine c.
        const double c = 0.6;
        var x = tensor(new[] { 1, 0, c, Math.Sqrt(1 - c * c) }).view(2, 2);
        double p = (1 + c) / 2, expected = Math.Exp(-p * Math.Log(p) - (1 - p) * Math.Log(1 - p));
        Assert.Equal(expected, VendiScore.Of(x), 1e-12);
        Assert.Equal(1 / (p * p + (1 - p) * (1 - p)), VendiScore.Of(x, 2), 1e-12);
        var y = Normal(30, 4);
        Assert.Equal(VendiScore.Of(y), VendiScore.Of(y.flip(0) * 7), 1e-9);
        // Both sides of N = D: the dual gives the same as the Gram matrix.
        var gram = (y / y.square().sum(1, keepdim: true).sqrt());
        var values = linalg.eigvalsh(gram.mm(gram.t()) / 30).clamp_min(1e-300);
        Assert.Equal(Math.Exp(-(values * values.log()).sum().item<double>()), VendiScore.Of(y), 1e-9);
        Assert.Equal(30, VendiScore.Of(y, new Kernel.Gaussian(1e-3)), 1e-6);
        Assert.Throws<ArgumentException>(() => VendiScore.Of(y, new Kernel.Polynomial()));
    }

    [Fact]
    public void Bins_differ_at_the_level_of_the_test_for_equal_and_wholly_for_disjoint_sets()
    {
        var (x, y) = (Normal(4000, 2), Normal(4000, 2));
        var equal = DifferentBins.Between(x, y, 50);
        Assert.InRange(equal.Share, 0, 0.2);
        Assert.InRange(equal.JensenShannon, 0, 0.01);
        Assert.Equal(0, DifferentBins.Between(x, x, 20).Different);
        Assert.Equal(equal, DifferentBins.Between(x, y, 50));
        var far = DifferentBins.Between(cat([x.narrow(0, 0, 2000), x.narrow(0, 0, 2000) + 50]), y, 20);
        Assert.True(far.Share > 0.9);
    }

    [Fact]
    public void Bins_by_hand()
    {
        // z = 0.1 / √(0.45 · 0.55 · 2/1000) = 4.49; equal shares 0; third bin 0.1 against 0: z = 10.26.
        var result = DifferentBins.OfCounts([400, 500, 100], [500, 500, 0]);
        Assert.Equal((2, 3), (result.Different, result.Bins));
        double Kl(double p, double q) => p == 0 ? 0 : p * Math.Log(p / q);
        double expected = (Kl(0.4, 0.45) + Kl(0.5, 0.45) + Kl(0.1, 0.05)) / 2;
        Assert.Equal(expected, result.JensenShannon, 1e-12);
        Assert.Equal(Math.Log(2), DifferentBins.OfCounts([10, 0], [0, 10]).JensenShannon, 1e-12);
    }

    [Fact]
    public void Cmmd_of_two_directions_is_the_closed_form()
    {
        // Unit vectors at right angles: |x − y|² = 2, so 1000 (1 + 1 − 2 exp(−2/200)).
        var (x, y) = (tensor(new double[] { 3, 0, 3, 0 }).view(2, 2), tensor(new double[] { 0, 2, 0, 2 }).view(2, 2));
        Assert.Equal(2000 * (1 - Math.Exp(-0.01)), ClipDiscrepancy.Between(x, y), 1e-9);
        var z = Normal(20, 5);
        Assert.Equal(0, ClipDiscrepancy.Between(z, z * 2), 1e-9);
    }

    [Fact]
    public void Alignment_scores_follow_the_cosine()
    {
        var (x, y) = (Normal(40, 16), Normal(40, 16));
        Assert.True(TextAlignment.ClipScore(x, x * 3).allclose(full(40, 2.5, float64)));
        Assert.True(TextAlignment.ClipScore(x, -x, 100).eq(0).all().item<bool>());
        var cosine = nn.functional.cosine_similarity(x, y).clamp_min(0) * 2.5;
        Assert.True(TextAlignment.ClipScore(x, y).allclose(cosine));
        Assert.Equal(1, TextAlignment.RPrecision(x, x + 0.01 * y, 40), 1e-12);
        // Captions that say nothing: the own one wins with probability 1/R.
        Assert.Equal(0, TextAlignment.RPrecision(x, x.roll(1, 0), 40), 1e-12);
        double chance = Enumerable.Range(0, 50).Average(s => TextAlignment.RPrecision(Normal(200, 8), Normal(200, 8), 5, s));
        Assert.InRange(chance, 0.185, 0.215);
        Assert.Throws<ArgumentOutOfRangeException>(() => TextAlignment.RPrecision(x, y, 41));
    }

    [Fact]
    public void Copied_share_counts_what_lies_close_to_one_training_sample()
    {
        var training = Normal(200, 10);
        Assert.Equal(0, Memorisation.CopiedShare(Normal(200, 10), training), 0.02);
        var samples = cat([training.narrow(0, 0, 3) + 1e-3, (training.narrow(0, 0, 1) + training.narrow(0, 1, 1)) / 2]);
        Assert.Equal(0.75, Memorisation.CopiedShare(samples, training), 1e-12);
    }

    [Fact]
    public void Feature_likelihood_is_near_zero_for_fresh_data_and_high_for_copies_shifts_and_lost_modes()
    {
        Tensor Modes(long n) => cat([Normal(n / 2, 4), Normal(n / 2, 4) + 6]);
        var (training, heldOut) = (Modes(400), Modes(400));
        double Of(Tensor g) => FeatureLikelihood.Between(training, heldOut, g).Divergence;
        // 200 fresh samples are what the baseline is made of; its own spread over draws is some units.
        double fresh = Of(Modes(200));
        Assert.InRange(fresh, -8, 8);
        double shifted = Of(Modes(200) + 3), lost = Of(Normal(200, 4));
        var copies = FeatureLikelihood.Between(training, heldOut, training);
        Assert.True(shifted > fresh + 10 && lost > fresh + 10 && copies.Divergence > fresh + 10, $"{fresh} {shifted} {lost} {copies}");
        Assert.True(copies.GeneralisationGap < -20, $"{copies}");
        Assert.Equal(Of(heldOut), Of(heldOut), 1e-12);
    }

    [Fact]
    public void Feature_likelihood_fits_as_finite_differences_do()
    {
        // −41.024741 from NumPy: the authors' 50 Adam steps with central differences of the loss for the gradient.
        Tensor Rows(int n, Func<int, double> x, Func<int, double> y) => tensor(Enumerable.Range(0, n).SelectMany(i => new[] { x(i), y(i) }).ToArray()).view(n, 2);
        var training = Rows(12, i => Math.Sin(1.3 * i + 0.2), i => Math.Cos(2.1 * i) + 0.1 * i);
        var heldOut = Rows(9, i => Math.Sin(0.7 * i - 0.4), i => Math.Cos(1.9 * i + 1) + 0.12 * i);
        var generated = Rows(5, i => Math.Sin(2.3 * i + 1), i => Math.Cos(0.9 * i) + 0.2 * i);
        Assert.Equal(-41.024741, FeatureLikelihood.Between(training, heldOut, generated).GeneralisationGap, 1e-3);
    }

    [Fact]
    public void Intervals_hold_their_estimates()
    {
        var (x, y) = (Normal(300, 4), Normal(250, 4) + 0.3);
        double kid = MeanDiscrepancy.Squared(x, y, KernelDistance.Cubic);
        var interval = KernelDistance.Interval(x, y);
        Assert.True(interval.Contains(kid));
        // The delta method's error of the second set: 2/√m times the spread of k(y, y′) − k(x, y) over y.
        var gram = KernelDistance.Cubic.Of(y, y);
        var witness = (gram.sum(1) - gram.diagonal(0, 0, 1)) / 249 - KernelDistance.Cubic.Of(x, y).mean([0]);
        double error = 2 * witness.std().item<double>() / Math.Sqrt(250);
        Assert.InRange((interval.High - interval.Low) / (2 * 1.96 * error), 0.8, 1.25);

        var logits = Normal(300, 5) * 2;
        Assert.True(InceptionScore.Interval(logits).Contains(InceptionScore.Of(logits, 1).Mean));
        var balls = PrecisionRecall.WithIntervals(x, y, 3);
        Assert.Equal(PrecisionRecall.Between(x, y, 3), balls.Value);
        Assert.True(balls.Precision.Contains(balls.Value.Precision) && balls.Recall.Contains(balls.Value.Recall));
        Assert.True(balls.Density.Contains(balls.Value.Density) && balls.Coverage.Contains(balls.Value.Coverage));
        Assert.Equal(1.959964, Interval.NormalQuantile(0.95), 1e-6);
    }

    [Fact]
    public void Leave_no_tensors() => Leak.None(() =>
    {
        using var x = randn(60, 4);
        using var y = randn(50, 4);
        VendiScore.Of(x);
        VendiScore.Of(x, new Kernel.Gaussian());
        DifferentBins.Between(x, y, 5);
        ClipDiscrepancy.Between(x, y);
        TextAlignment.ClipScore(x, x).Dispose();
        TextAlignment.RPrecision(x, x, 10);
        Memorisation.CopiedShare(x, y);
        FeatureLikelihood.Between(x, y, y);
        KernelDistance.Interval(x, y, 10);
        InceptionScore.Interval(x, 10);
        PrecisionRecall.WithIntervals(x, y, resamples: 10);
    });
}
