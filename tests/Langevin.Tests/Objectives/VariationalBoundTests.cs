using Langevin.Denoisers;
using Langevin.Objectives;
using Langevin.Processes;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class VariationalBoundTests
{
    // The table of T steps whose noise levels are the VP SDE's.
    private static DiscreteProcess Table(int steps)
    {
        var sde = VariancePreserving.Linear();
        return DiscreteProcess.FromAlphasCumprod([.. Enumerable.Range(1, steps).Select(n => Math.Pow(sde.Alpha(n / (double)steps), 2))]);
    }

    private static GaussianMixture Mixture(GaussianProcess process) => new(process, tensor([0.4, 0.6], ScalarType.Float64),
        tensor([-0.8, 0.3, 0.7, -0.5], ScalarType.Float64).view(2, 2), tensor([0.3, 0.4], ScalarType.Float64));

    // Steps even in log-SNR between two fixed noise levels, so that more steps refine one grid.
    private static DiscreteProcess Even(int steps) => DiscreteProcess.FromAlphasCumprod(
        [.. Enumerable.Range(0, steps).Select(n => 1 / (1 + Math.Exp(-2 * (4.6 - 7.6 * n / (steps - 1)))))]);

    /// <summary>The exact denoiser that also states the best variance of its steps: the posterior's, and (σ/α)² of the last.</summary>
    private sealed class WithVariance(GaussianMixture data) : IDenoiser
    {
        public GaussianProcess Process => data.Process;
        public Prediction Denoise(Tensor x, Times t, Condition condition)
        {
            var log = t.Map(n => n == 0 ? -2 * Process.Lambda(0) : Math.Log(Process.Posterior(n - 1, n).Variance), x);
            return new(PredictionKind.X0, data.Denoise(x, t, condition).X0, x, Process, t, log.expand(x.shape), VarianceKind.Learned);
        }
    }

    [Fact]
    public void The_bound_of_the_exact_denoiser_is_above_the_likelihood_and_tightens_with_steps()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        double before = double.PositiveInfinity;
        foreach (int steps in new[] { 10, 40, 160 })
        {
            using var data = Mixture(Even(steps));
            var x0 = data.Draw(1000, generator);
            (double Gap, double Error) Gap(IDenoiser denoiser, ReverseVariance variance)
            {
                using var estimate = new VariationalBound(variance, Decoder.Density).Evaluate(denoiser, x0, Condition.None, seed: steps);
                var gaps = estimate.Total - ExactBits(x0);
                return (gaps.mean().item<double>(), gaps.std().item<double>() / Math.Sqrt(1000));
            }
            foreach (var variance in new[] { ReverseVariance.Small, ReverseVariance.Large })
            {
                var (above, uncertain) = Gap(data, variance);
                Assert.True(above > -4 * uncertain, $"{steps} steps, {variance}: {above} ± {uncertain}");
            }
            var (gap, error) = Gap(new WithVariance(data), ReverseVariance.Learned);
            Assert.True(error < 0.05 * (1 + gap) && gap > -4 * error, $"{steps} steps: {gap} ± {error} below the likelihood");
            Assert.True(gap < 0.5 * before + 2 * error, $"{steps} steps: {gap} ± {error} after {before}");
            before = gap;
        }
        Assert.True(before < 0.3, $"{before} bits/dim above the likelihood with 160 steps");
    }

    [Fact]
    public void The_continuous_bound_of_the_exact_denoiser_is_tight()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        foreach (GaussianProcess process in new GaussianProcess[] { VariancePreserving.Linear(minTime: 1e-4), VariancePreserving.Cosine(), new EdmProcess(0.01, 50), new VarianceExploding(), new SubVariancePreserving() })
        {
            using var data = Mixture(process);
            var x0 = data.Draw(1000, generator);
            using var estimate = new ContinuousBound(Decoder.Density).Evaluate(data, x0, Condition.None, 200, seed: 3);
            var gaps = estimate.Total - ExactBits(x0);
            double gap = gaps.mean().item<double>(), error = gaps.std().item<double>() / Math.Sqrt(1000);
            Assert.True(error < 0.04 && gap > -4 * error && gap < 0.02 + 4 * error, $"{process.GetType().Name}: {gap} ± {error}");
        }
    }

    // The likelihood of the data themselves, whose time some processes do not reach.
    private static Tensor ExactBits(Tensor x0)
    {
        using var clean = Mixture(Table(10));
        return -clean.LogProbability(x0, -1.0) / (2 * Math.Log(2));
    }

    [Fact]
    public void A_few_terms_estimate_the_whole_without_bias()
    {
        using var scope = NewDisposeScope();
        using var data = Mixture(Table(200));
        using var generator = new Generator(3);
        var x0 = data.Draw(1000, generator);
        var bound = new VariationalBound(ReverseVariance.Small, Decoder.Density);
        using var all = bound.Evaluate(data, x0, Condition.None, seed: 4);
        using var few = bound.Evaluate(data, x0, Condition.None, terms: 12, seed: 5);
        Assert.Equal([1000L, 12], few.Terms.shape);
        Assert.Equal([1000L, 200], all.Terms.shape);
        Assert.True((all.Prior + all.Terms.sum(1)).allclose(all.Total));
        double error = (few.Total - all.Total).std().item<double>() / Math.Sqrt(1000);
        Assert.True(error < 0.2, $"{error}");
        Assert.Equal(all.Mean, few.Mean, 4.5 * error);
        Assert.InRange(few.StandardError, 0.5 * error, 2 * error);
    }

    [Fact]
    public void As_an_objective_it_estimates_the_terms_it_is_made_of()
    {
        using var scope = NewDisposeScope();
        using var data = Mixture(Table(25));
        using var generator = new Generator(6);
        var x0 = data.Draw(1, generator).expand(25, 2);
        var noise = randn([25, 2], ScalarType.Float64, generator: generator);
        var bound = new VariationalBound(ReverseVariance.Large, Decoder.Density);
        // One sample at every step: T times the mean of the terms is their sum.
        var loss = bound.Loss(data, x0, Condition.None, Times.Each([.. Enumerable.Range(0, 25).Select(n => (double)n)]), noise);
        int index = 25;
        using var whole = bound.Evaluate(data, x0[0..1], Condition.None, noise: like => noise[(--index)..(index + 1)].clone());
        Assert.True(loss.flip(0).unsqueeze(0).div(25).allclose(whole.Terms, 1e-9));
        Assert.Equal(whole.Terms.sum().item<double>(), loss.mean().item<double>(), 1e-9);
    }

    [Fact]
    public void A_learned_variance_that_says_a_fixed_one_gives_its_bound()
    {
        using var scope = NewDisposeScope();
        var process = Table(30);
        Tensor x0 = randn([4, 2, 3], ScalarType.Float64), noise = randn([4, 2, 3], ScalarType.Float64);
        var t = Times.Each([0, 1, 15, 29]);
        Tensor Loss(Func<Tensor, Tensor>? spread, VarianceKind kind, ReverseVariance variance)
        {
            var network = new FunctionNetwork((x, _) => spread is null ? x.sin() : cat([x.sin(), spread(x)], 1));
            var denoiser = new NetworkDenoiser(network, process, new PlainPreconditioning(), spread is null ? null : kind);
            return new VariationalBound(variance, Decoder.Density).Loss(denoiser, x0, Condition.None, t, noise);
        }
        var small = Loss(null, default, ReverseVariance.Small);
        var logs = t.Map(n => ReverseKernel.LogSmall(process, n - 1, n), x0);
        Assert.True(small.allclose(Loss(x => logs.expand(x.shape), VarianceKind.Learned, ReverseVariance.Learned)));
        Assert.True(small.allclose(Loss(x => full_like(x, -1), VarianceKind.LearnedRange, ReverseVariance.Learned)));
        // and the upper end of the range is β, but for the last step, whose fixed-large variance is bounded otherwise
        Assert.True(Loss(null, default, ReverseVariance.Large)[1..].allclose(Loss(x => ones_like(x), VarianceKind.LearnedRange, ReverseVariance.Learned)[1..]));
    }

    [Fact]
    public void The_hybrid_teaches_the_variance_by_the_bound_and_the_mean_by_the_error_alone()
    {
        using var scope = NewDisposeScope();
        var process = Table(30);
        var mean = new TorchSharp.Modules.Parameter(tensor(0.5));
        var spread = new TorchSharp.Modules.Parameter(tensor(0.1));
        var denoiser = new NetworkDenoiser(new FunctionNetwork((x, _) => cat([mean * x, spread * x], 1)), process, new PlainPreconditioning(), VarianceKind.LearnedRange);
        Tensor x0 = rand([4, 2, 3], ScalarType.Float64) * 2 - 1, noise = randn([4, 2, 3], ScalarType.Float64);
        var t = Times.Each([0, 5, 15, 29]);
        double Grad(TorchSharp.Modules.Parameter of, Objective objective)
        {
            mean.grad?.zero_();
            spread.grad?.zero_();
            objective.Loss(denoiser, x0, Condition.None, t, noise).mean().backward();
            return of.grad is { } g ? g.item<double>() : 0;
        }
        var simple = new DenoisingObjective(Weighting.Simple);
        var bound = new VariationalBound(ReverseVariance.Learned);
        var hybrid = new HybridObjective(simple, bound, 0.25);
        Assert.Equal(Grad(mean, simple), Grad(mean, hybrid), 1e-12);
        Assert.NotEqual(Grad(mean, simple), Grad(mean, bound), 1e-6);
        Assert.Equal(0.25 * Grad(spread, bound), Grad(spread, hybrid), 1e-12);
        Assert.NotEqual(0, Grad(spread, hybrid));
    }

    [Fact]
    public void Nothing_leaks()
    {
        using var data = Mixture(Table(10));
        using var generator = new Generator(1);
        using var x0 = data.Draw(4, generator);
        long Count()
        {
            using (new VariationalBound(Decoder: Decoder.Density).Evaluate(data, x0, Condition.None)) { }
            using (new ContinuousBound(Decoder.Density).Evaluate(data, x0, Condition.None, 4)) { }
            new VariationalBound().Loss(data, x0, Condition.None, Times.Each([0, 1, 2, 3]), x0).Dispose();
            return DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        }
        Assert.Equal(Count(), Count());
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        using var data = Mixture(new EdmProcess());
        var x0 = randn([2, 2], ScalarType.Float64);
        Assert.Throws<ArgumentException>(() => new VariationalBound().Evaluate(data, x0, Condition.None));
        Assert.Throws<ArgumentException>(() => new VariationalBound().Loss(data, x0, Condition.None, 1.0, x0));
        using var table = Mixture(Table(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VariationalBound().Evaluate(table, x0, Condition.None, terms: 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VariationalBound().Evaluate(table, x0, Condition.None, terms: 1));
        Assert.Throws<ArgumentException>(() => new VariationalBound(ReverseVariance.Learned).Loss(table, x0, Condition.None, 1.0, x0));
    }
}
