using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class ScheduledBoundTests
{
    private const double Low = -6, High = 4, Std = 0.6;
    private static readonly LogSnrPreconditioning Told = new(Low, High);

    // A schedule that is anything but straight.
    private static MonotoneSchedule Bent(ulong seed = 3, int hidden = 12)
    {
        var schedule = new MonotoneSchedule(Low, High, hidden);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var generator = new Generator(seed);
        foreach (var (name, p) in schedule.named_parameters())
            if (p.dim() == 1) p.add_(0.8 * randn(p.shape, generator: generator));
        return schedule;
    }

    private static LogSnrProcess Process(MonotoneSchedule schedule)
    {
        var (gamma, slope) = schedule.Freeze();
        return new(gamma, slope);
    }

    private static GaussianMixture Gaussian(GaussianProcess process) => new(process, ones(1, ScalarType.Float64), zeros([1, 2], ScalarType.Float64), full([1], Std, ScalarType.Float64));

    // E‖ε − ε̂‖² a dimension, for data N(0, Std²): α² s²/(α² s² + σ²).
    private static double Error(double gamma)
    {
        double a2 = 1 / (1 + Math.Exp(gamma)), s2 = 1 - a2;
        return a2 * Std * Std / (a2 * Std * Std + s2);
    }

    [Fact]
    public void A_schedule_rises_from_end_to_end_and_its_slopes_are_its_differences()
    {
        using var scope = NewDisposeScope();
        using var schedule = Bent();
        var t = linspace(0, 1, 201, ScalarType.Float64);
        var gamma = schedule.call(t);
        Assert.True((gamma[1..] - gamma[..^1]).min().item<double>() > 0);
        Assert.Equal(Low, gamma[0].item<double>(), 1e-6);
        Assert.Equal(High, gamma[-1].item<double>(), 1e-6);
        var (share, slope, bend) = schedule.Interior(t);
        const double h = 1e-4;
        var inside = t[1..^1];
        Tensor before = schedule.Interior(inside - h).Share, after = schedule.Interior(inside + h).Share;
        Assert.True(slope[1..^1].allclose((after - before) / (2 * h), 1e-5, 1e-6));
        Assert.True(bend[1..^1].allclose((after + before - 2 * share[1..^1]) / (h * h), 1e-3, 1e-4));
        // On the host it is the same.
        var (g, d) = schedule.Freeze();
        for (int i = 0; i <= 200; i += 25)
        {
            Assert.Equal(gamma[i].item<double>(), g(i / 200.0), 1e-9);
            Assert.Equal((schedule.Width * slope[i]).item<double>(), d(i / 200.0), 1e-9);
        }
    }

    [Fact]
    public void The_bound_of_the_exact_denoiser_is_the_same_under_every_schedule_and_is_its_closed_form()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var schedule = Bent();
        // For Gaussian data, by quadrature in γ: prior + ½ ∫ e dγ + decoder, and all three by hand.
        double Term(double gamma) => 0.5 * Error(gamma);
        double diffusion = Enumerable.Range(0, 20_000).Sum(i => Term(Low + (High - Low) * (i + 0.5) / 20_000)) * (High - Low) / 20_000;
        double noisy = 1 / (1 + Math.Exp(-High)), prior = 0.5 * ((1 - noisy) * Std * Std + noisy - Math.Log(noisy) - 1);
        double ratio = Math.Exp(Low), left = Std * Std * ratio / (Std * Std + ratio); // variance of x_0 given z_0
        double decoder = 0.5 * (Math.Log(2 * Math.PI * ratio) + left / ratio);
        double expected = (prior + diffusion + decoder) / Math.Log(2);
        foreach (GaussianProcess process in new GaussianProcess[] { Process(schedule), LogSnrProcess.Linear(Low, High) })
        {
            using var data = Gaussian(process);
            var x0 = data.Draw(20_000, generator);
            using var estimate = new ContinuousBound(Decoder.Density).Evaluate(data, x0, Condition.None, 40, seed: 7);
            Assert.Equal(expected, estimate.Mean, 4.5 * estimate.StandardError);
            Assert.True(estimate.StandardError < 0.01);
        }
        // Where noise drowns the data and there is none at the start, it is the entropy of the data: −log p is its mean.
        double whole = Enumerable.Range(0, 40_000).Sum(i => Term(-18 + 36 * (i + 0.5) / 40_000)) * 36 / 40_000 + 0.5 * (Math.Log(2 * Math.PI * Math.Exp(-18)) + 1);
        Assert.Equal(0.5 * Math.Log(2 * Math.PI * Math.E * Std * Std), whole, 1e-6);
    }

    [Fact]
    public void Ever_more_steps_lead_the_bound_of_steps_to_the_continuous_one()
    {
        // Closed forms for Gaussian data: ½ Σ (e^(γ_t − γ_s) − 1) e(γ_t) against ½ ∫ e dγ, whatever the schedule.
        using var schedule = Bent();
        var process = Process(schedule);
        double limit = Enumerable.Range(0, 20_000).Sum(i => 0.5 * Error(Low + (High - Low) * (i + 0.5) / 20_000)) * (High - Low) / 20_000;
        double before = double.PositiveInfinity;
        foreach (int steps in new[] { 16, 64, 256, 1024 })
        {
            double sum = Enumerable.Range(1, steps).Sum(i => 0.5 * double.ExpM1(process.Gamma(i / (double)steps) - process.Gamma((i - 1.0) / steps)) * Error(process.Gamma(i / (double)steps)));
            // Each term is what VariationalBound takes: the divergence of two Gaussians of the posterior's variance.
            var (_, ofX0, variance) = process.Posterior(0.5, 0.75);
            double a2 = Math.Pow(process.Alpha(0.75), 2), s2 = 1 - a2;
            Assert.Equal(double.ExpM1(process.Gamma(0.75) - process.Gamma(0.5)), ofX0 * ofX0 / variance * s2 / a2, 1e-9);
            Assert.True(sum > limit);
            Assert.True(sum - limit < 0.5 * before);
            before = sum - limit;
        }
        Assert.Equal(0, before, 0.02);
    }

    [Fact]
    public void The_loss_is_the_bound_and_teaches_the_ends_its_derivative()
    {
        using var scope = NewDisposeScope();
        using var schedule = Bent();
        // ε̂ = σ/(α² s² + σ²) z: the exact answer, as a network that is told γ.
        using var network = new FunctionNetwork((x, told) =>
        {
            var gamma = Low + told * (High - Low) / 1000;
            return gamma.sigmoid().sqrt() / ((-gamma).sigmoid() * Std * Std + gamma.sigmoid()) * x;
        });
        random.manual_seed(5);
        var x0 = Std * randn([40_000, 2], ScalarType.Float64);
        var bound = new ScheduledBound(Told, Decoder.Density);
        var terms = bound.Terms(network, schedule, x0, Condition.None, ScheduledBound.EvenTimes(40_000), randn_like(x0));
        double limit = Enumerable.Range(0, 20_000).Sum(i => 0.5 * Error(Low + (High - Low) * (i + 0.5) / 20_000)) * (High - Low) / 20_000;
        Assert.Equal(limit / Math.Log(2), terms.Diffusion.mean().item<double>(), 4.5 * terms.Diffusion.std().item<double>() / 200);

        (terms.Prior + terms.Reconstruction + terms.Diffusion).mean().backward();
        // d/dγ_1 of the whole is ½ e(γ_1) + ∂prior; prior is ½ (α² s² + σ² − log σ² − 1), ∂σ² = σ² α².
        double n = 1 / (1 + Math.Exp(-High)), dPrior = 0.5 * n * (1 - n) * (1 - Std * Std - 1 / n);
        double dHigh = (0.5 * Error(High) + dPrior) / Math.Log(2);
        // With γ_0 fixed, γ_1 moves as the width does.
        double width = High - Low, found = schedule.get_parameter("log_width")!.grad!.item<float>() / width;
        Assert.Equal(dHigh, found, 0.01);
        // With the width fixed both ends move: −½ e(γ_0) + ∂decoder at the lower, whose Gaussian is about x/α: ½ (log(2π r) + 1) has slope ½.
        double dLow = dHigh + (-0.5 * Error(Low) + 0.5 * 1) / Math.Log(2);
        double moved = schedule.get_parameter("start")!.grad!.item<float>() / 10;
        Assert.Equal(dLow, moved, 0.02);
        Assert.True(schedule.get_parameter("places")!.grad is null, "the bound teaches the inside of the schedule something");
    }

    [Fact]
    public void What_the_inside_learns_is_the_gradient_of_the_variance()
    {
        using var scope = NewDisposeScope();
        using var schedule = Bent();
        const int count = 20_001;
        var t = linspace(0, 1, count, ScalarType.Float64);
        var weight = ones(count, ScalarType.Float64);
        weight[0] = weight[-1] = 0.5;
        Tensor Second(MonotoneSchedule s)
        {
            // E[L²]/E[L]² by the trapezium rule, L = s' e with e a function of γ alone.
            var (share, slope, _) = s.Interior(t);
            var e = ErrorOf(Low + (High - Low) * share);
            return (weight * (slope * e).square()).mean() / (weight * slope * e).mean().square();
        }
        Tensor ErrorOf(Tensor gamma) => (-gamma).sigmoid() * Std * Std / ((-gamma).sigmoid() * Std * Std + gamma.sigmoid());

        // E[L] does not depend on the inside, so that the gradient of the quotient is that of its numerator.
        var (share, slope, bend) = schedule.Interior(t);
        ScheduledBound.Spread(share, slope, bend, ErrorOf(Low + (High - Low) * share).detach()).backward();
        var found = schedule.get_parameter("places")!.grad!.clone();
        foreach (string name in new[] { "places", "heights", "rates" })
        {
            var p = schedule.get_parameter(name)!;
            var gradient = p.grad!.clone();
            for (int k = 0; k < p.shape[0]; k += 5)
            {
                const float h = 1e-2f;
                double At(float move)
                {
                    using var off = no_grad();
                    p[k] += move;
                    double value = Second(schedule).item<double>();
                    p[k] -= move;
                    return value;
                }
                // Four points: the error is of h⁴.
                double difference = (8 * (At(h) - At(-h)) - (At(2 * h) - At(-2 * h))) / (12 * h);
                Assert.Equal(difference, gradient[k].item<float>(), 2e-3 * Math.Max(0.05, Math.Abs(difference)));
            }
        }
        Assert.True(found.abs().max().item<float>() > 0);
    }

    [Fact]
    public void A_schedule_that_learns_comes_to_vary_least()
    {
        using var scope = NewDisposeScope();
        using var schedule = new MonotoneSchedule(Low, High, 24);
        var optimizer = optim.Adam(schedule.parameters(), 0.05);
        Tensor ErrorOf(Tensor gamma) => (-gamma).sigmoid() * Std * Std / ((-gamma).sigmoid() * Std * Std + gamma.sigmoid());
        var t = (arange(400, ScalarType.Float64) + 0.5) / 400;
        (double Second, double Mean) Now()
        {
            using var off = no_grad();
            var (share, slope, _) = schedule.Interior(t);
            var l = slope * ErrorOf(Low + (High - Low) * share);
            return (l.square().mean().item<double>(), l.mean().item<double>());
        }
        var before = Now();
        for (int i = 0; i < 300; i++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            var (share, slope, bend) = schedule.Interior(t);
            ScheduledBound.Spread(share, slope, bend, ErrorOf(Low + (High - Low) * share).detach()).backward();
            optimizer.step();
        }
        var after = Now();
        // The mean stays. With e known exactly nothing varies at best: E[L²] = E[L]².
        Assert.Equal(before.Mean, after.Mean, 1e-3);
        Assert.True(before.Second / (before.Mean * before.Mean) > 1.3, $"{before}");
        Assert.True(after.Second / (after.Mean * after.Mean) < 1.03, $"{after}");
    }

    [Fact]
    public void Levels_are_compared_with_each_other()
    {
        using var scope = NewDisposeScope();
        var decoder = new LevelPosterior(4);
        var levels = linspace(-1, 1, 4, ScalarType.Float64);
        var mean = tensor([0.2, -0.7]);
        var all = decoder.LogLikelihood(levels.unsqueeze(1), mean.unsqueeze(0).expand(4, 2), tensor(Math.Log(0.09)));
        Assert.True(all.exp().sum([0L]).allclose(ones(2, ScalarType.Float64)));
        double ratio = (all[1, 0] - all[2, 0]).item<double>();
        Assert.Equal((Math.Pow(1 / 3.0 - 0.2, 2) - Math.Pow(-1 / 3.0 - 0.2, 2)) / (2 * 0.09), ratio, 1e-12);
    }

    [Fact]
    public void Fourier_features_stand_beside_the_input()
    {
        using var scope = NewDisposeScope();
        using var network = new FourierInput(new FunctionNetwork((x, _) => x.clone()), 7, 8);
        var x = tensor(new[] { 0.3, -1, 1.0 / 255 }).view(1, 1, 3);
        var y = network.call(x, zeros(1), Condition.None);
        Assert.Equal([1L, FourierInput.Channels(2), 3], y.shape);
        Assert.True(y[0, 0].allclose(x[0, 0]));
        Assert.True(y[0, 1].allclose((128 * Math.PI * x[0, 0]).sin()) && y[0, 4].allclose((256 * Math.PI * x[0, 0]).cos()));
    }
}
