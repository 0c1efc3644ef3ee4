using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class StepBoundTests
{
    private const double Low = -7, High = 5, Std = 0.3;
    private static readonly LogSnrPreconditioning Told = new(Low, High, 4);

    private static double Error(double gamma)
    {
        double a2 = 1 / (1 + Math.Exp(gamma)), s2 = 1 - a2;
        return a2 * Std * Std / (a2 * Std * Std + s2);
    }

    // The exact answer for data N(0, Std²).
    private static FunctionNetwork Exact() => new((x, told) =>
    {
        var gamma = Low + told * (High - Low) / 4;
        return gamma.sigmoid().sqrt() / ((-gamma).sigmoid() * Std * Std + gamma.sigmoid()) * x;
    });

    private static double Expected(IReadOnlyList<double> gamma) => Enumerable.Range(1, gamma.Count - 1).Sum(k => 0.5 * double.ExpM1(gamma[k] - gamma[k - 1]) * Error(gamma[k]));

    [Fact]
    public void Its_terms_are_those_of_the_variational_bound()
    {
        using var scope = NewDisposeScope();
        using var network = Exact();
        var process = LogSnrProcess.Linear(Low, High);
        manual_seed(1);
        Tensor x0 = Std * randn([5, 3], ScalarType.Float64), noise = randn([5, 2, 3], ScalarType.Float64);
        var gamma = tensor([Low, -1.5, 3.0]).expand(5, 3);
        var terms = new StepBound(Told).Terms(network, gamma, x0, Condition.None, noise);
        double Time(double g) => (g - Low) / (High - Low);
        for (int k = 1; k <= 2; k++)
        {
            double t = Time(gamma[0, k].item<double>()), s = Time(gamma[0, k - 1].item<double>());
            var prediction = new NetworkDenoiser(network, process, Told).Denoise(process.Corrupt(x0, t, noise[.., k - 1]), t, Condition.None);
            var bits = new VariationalBound(ReverseVariance.Small).Term(prediction, x0, s);
            Assert.True(terms[.., k - 1].allclose(bits * Math.Log(2), 1e-9));
        }
    }

    [Fact]
    public void A_schedule_that_learns_comes_to_the_best_there_is()
    {
        const int steps = 4, places = 400;
        // The best levels on a fine grid, by dynamic programming over where each step begins.
        double At(int i) => Low + (High - Low) * i / places;
        var best = Enumerable.Range(0, places + 1).Select(i => i == 0 ? 0 : double.PositiveInfinity).ToArray();
        for (int k = 0; k < steps; k++)
            best = [.. Enumerable.Range(0, places + 1).Select(j => Enumerable.Range(0, j).Select(i => best[i] + 0.5 * double.ExpM1(At(j) - At(i)) * Error(At(j))).Append(double.PositiveInfinity).Min())];

        using var scope = NewDisposeScope();
        using var network = Exact();
        using var schedule = new StepSchedule(steps, Low, High);
        var optimizer = optim.Adam(schedule.parameters(), 0.05);
        random.manual_seed(2);
        double[] Levels() => schedule.call(zeros(1, 0))[0].detach().data<double>().ToArray();
        double even = Expected(Levels());
        for (int i = 0; i < 250; i++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            var x0 = Std * randn([512, 1], ScalarType.Float64);
            new StepBound(Told).Terms(network, schedule.call(x0), x0, Condition.None, randn([512, steps, 1], ScalarType.Float64)).sum(1).mean().backward();
            optimizer.step();
        }
        double learned = Expected(Levels());
        Assert.True(even > 1.3 * best[places], $"even steps, {even}, are nearly as good as the best, {best[places]}");
        // The grid's own coarseness is about a thousandth.
        Assert.InRange(learned, 0.998 * best[places], 1.02 * best[places]);
    }

    [Fact]
    public void A_schedule_rises_between_its_ends_by_the_condition()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var schedule = new StepSchedule(5, Low, High, inputs: 2);
        var gamma = schedule.call(randn(4, 2));
        Assert.True(gamma.allclose(linspace(Low, High, 6, ScalarType.Float64).expand(4, 6), 1e-6, 1e-6));
        using (no_grad())
            foreach (var p in schedule.parameters()) p.normal_(0, 0.3);
        gamma = schedule.call(randn(4, 2));
        Assert.True((gamma[.., 1..] - gamma[.., ..^1]).min().item<double>() > 0);
        Assert.True((gamma[0] - gamma[1]).abs().max().item<double>() > 0.1);
        Assert.True(gamma[.., 0].allclose(full([4], Low, ScalarType.Float64)) && gamma[.., 5].allclose(full([4], High, ScalarType.Float64), 1e-9));
    }

    [Fact]
    public void Samples_at_times_of_their_own_are_what_each_is_alone()
    {
        using var scope = NewDisposeScope();
        var process = LogSnrProcess.Linear(Low, High);
        using var data = new GaussianMixture(process, tensor([0.4, 0.6]), tensor([-0.8, 0.5]).view(2, 1), tensor([0.2, 0.1]));
        double[][] grids = [[1, 0.7, 0.2, 0], [1, 0.4, 0.35, 0]];
        var own = new OwnTimes([.. Enumerable.Range(0, 4).Select(k => Times.Each([grids[0][k], grids[1][k]])), process.DataTime]);
        var together = own.Sample(data, [2, 1], own.Grid, seed: 4, dtype: ScalarType.Float64);
        for (int i = 0; i < 2; i++)
        {
            var alone = new DdpmAncestral(ReverseVariance.Small).Sample(data, [1, 1], new TimeGrid([.. grids[i], process.DataTime]), seed: 4, first: i, dtype: ScalarType.Float64);
            Assert.Equal(alone.item<double>(), together[i].item<double>(), 1e-9);
        }
        Assert.Throws<ArgumentException>(() => own.Sample(data, [2, 1], TimeGrid.Uniform(process, 3)));
    }

    [Fact]
    public void Series_come_from_their_shocks_and_break_both_ways()
    {
        using var scope = NewDisposeScope();
        using var series = VolatileSeries.Create(4000, seed: 5);
        var z = series.Shocks(series.Future);
        // Along u the mean is 0 and the variance 1 + 9; across it 0 and 1: standard errors of 4,000.
        var along = z.mean([1]) * Math.Sqrt(VolatileSeries.Ahead);
        Assert.Equal(0, along.mean().item<double>(), 4.5 * Math.Sqrt(10.0 / 4000));
        Assert.Equal(10, along.square().mean().item<double>(), 0.5);
        var across = z - along.unsqueeze(1) / Math.Sqrt(VolatileSeries.Ahead);
        Assert.Equal(7, across.square().sum(1).mean().item<double>(), 4.5 * Math.Sqrt(14.0 / 4000));
        // The recursion, by hand.
        using var one = VolatileSeries.Create(1, seed: 5, first: 17);
        Assert.True(one.Future.allclose(series.Future[17..18]) && one.Context.allclose(series.Context[17..18]));
        double d = one.Context[0, VolatileSeries.Past + 1].item<float>(), v = ((series.Future[17, 0].item<float>() - 0.6 * d) / z[17, 0].item<double>());
        for (int k = 0; k < VolatileSeries.Ahead; k++) Assert.Equal(d = 0.6 * d + v * z[17, k].item<double>(), series.Future[17, k].item<float>(), 1e-4);
    }
}
