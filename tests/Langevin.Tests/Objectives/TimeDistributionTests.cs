using Langevin.Objectives;
using Langevin.Processes;

namespace Langevin.Tests.Objectives;

public class TimeDistributionTests
{
    private static readonly DiscreteProcess Table = DiscreteProcess.FromBetas(Betas.Linear(20));

    private static double[] Values(TimeDraw draw) => [.. Enumerable.Range(0, draw.Weights.Length).Select(i => draw.Times[i])];

    [Fact]
    public void A_step_draws_the_same_bits_whenever_it_is_asked()
    {
        foreach (var distribution in new TimeDistribution[] { new UniformTime(), new LogNormalTime(), new LogitNormalTime { Points = Points.LowDiscrepancy }, new LossSecondMoment() })
        {
            var first = distribution.Begin(Table, 5);
            var others = Enumerable.Range(0, 10).Select(step => Values(first.Draw(8, step))).ToArray();
            var resumed = distribution.Begin(Table, 5);
            Assert.Equal(others[7], Values(resumed.Draw(8, 7)));
            Assert.NotEqual(others[7], others[6]);
            Assert.NotEqual(others[7], Values(distribution.Begin(Table, 6).Draw(8, 7)));
        }
    }

    [Fact]
    public void Uniform_times_cover_a_table_evenly_and_an_interval_to_its_ends()
    {
        var steps = Values(new UniformTime().Begin(Table, 1).Draw(200_000, 0));
        Assert.All(steps, t => Assert.True(t == Math.Floor(t) && t is >= 0 and <= 19));
        Assert.All(steps.CountBy(t => t), g => Assert.InRange(g.Value, 9_500, 10_500)); // 5 standard deviations
        Assert.Equal(20, steps.Distinct().Count());
        var flow = new RectifiedFlow();
        var times = Values(new UniformTime().Begin(flow, 1).Draw(100_000, 0));
        Assert.InRange(times.Min(), flow.MinTime, flow.MinTime + 1e-3);
        Assert.InRange(times.Max(), 1 - 1e-3, 1);
        Assert.Equal(0.5, times.Average(), 0.01);
    }

    [Fact]
    public void Log_normal_noise_levels_have_their_moments_on_any_process()
    {
        foreach (GaussianProcess process in new GaussianProcess[] { new EdmProcess(), VariancePreserving.Linear(minTime: 1e-9), new VarianceExploding(1e-4, 1e4) })
        {
            var logs = Values(new LogNormalTime(-1.2, 1.2).Begin(process, 2).Draw(100_000, 0)).Select(t => -process.Lambda(t)).ToArray();
            double mean = logs.Average(), std = Math.Sqrt(logs.Average(l => (l - mean) * (l - mean)));
            Assert.Equal(-1.2, mean, 0.02);
            Assert.Equal(1.2, std, 0.02);
        }
    }

    [Fact]
    public void Logit_normal_and_mode_times_have_their_medians()
    {
        var flow = new RectifiedFlow();
        double Median(TimeDistribution d) => d.Quantiles(flow, [0.5])[0];
        Assert.Equal(1 / (1 + Math.Exp(0.5)), Median(new LogitNormalTime(-0.5, 1)), 1e-12);
        Assert.Equal(0.5, Median(new ModeTime()), 1e-12);
        Assert.Equal(0.25, new ModeTime(0).Quantiles(flow, [0.25])[0], 1e-12);
        foreach (TimeDistribution d in new TimeDistribution[] { new UniformTime(), new LogitNormalTime(), new ModeTime(), new LogLogisticTime(-1, 1), new InterpolatedCosineTime(64), new LogNormalTime() })
        {
            var q = d.Quantiles(new EdmProcess(), [0.01, 0.2, 0.5, 0.8, 0.99]);
            Assert.Equal(q.Order(), q);
        }
    }

    [Fact]
    public void Levels_within_cells_are_even_in_each_cell_and_meet_at_the_steps()
    {
        // WaveGrad's levels: with T cells, u = (n + v)/T gives √ᾱ = (1 − v) √ᾱ_(n−1) + v √ᾱ_n.
        foreach (var table in new[] { Table, DiscreteProcess.FromBetas(Betas.ScaledLinear(50, 1e-4, 0.5)), DiscreteProcess.FromBetas(Betas.RescaleZeroTerminalSnr(Betas.Linear(10))) })
        {
            double[] u = [.. Enumerable.Range(0, 10 * table.Steps).Select(i => (i + 0.5) / (10 * table.Steps))];
            double[] t = new CellUniformTime().Quantiles(table, u);
            for (int i = 0; i < u.Length; i++)
            {
                int n = i / 10;
                double v = (i % 10 + 0.5) / 10;
                Assert.InRange(t[i], n - 1, n);
                Assert.Equal((1 - v) * table.Alpha(n - 1) + v * table.Alpha(n), table.Alpha(t[i]), 1e-12);
            }
        }
        Assert.Contains("variance-preserving table", Assert.Throws<ArgumentException>(() => new CellUniformTime().Quantiles(new RectifiedFlow(), [0.5])).Message);
        Assert.Throws<ArgumentException>(() => new CellUniformTime().Quantiles(DiscreteProcess.FromSigmas([1, 2]), [0.5]));
    }

    [Fact]
    public void Low_discrepancy_points_fall_one_into_each_bin_and_antithetic_ones_pair()
    {
        var edm = new EdmProcess(0, 1);
        var even = Values((new UniformTime { Points = Points.LowDiscrepancy }).Begin(edm, 3).Draw(64, 12));
        Assert.Equal(Enumerable.Range(0, 64), even.Select(t => (int)(t * 64)).Order());
        var pairs = Values((new UniformTime { Points = Points.Antithetic }).Begin(edm, 3).Draw(7, 12));
        for (int i = 0; i < 3; i++) Assert.Equal(1, pairs[i] + pairs[4 + i], 1e-12);
    }

    [Fact]
    public void Importance_sampling_leaves_the_expected_loss_and_lowers_its_variance()
    {
        double Loss(double n) => 100 * Math.Exp(-n / 2) + 0.1;
        var source = (LossSecondMomentSource)new LossSecondMoment().Begin(Table, 4);
        Assert.False(source.WarmedUp);
        long step = 0;
        while (!source.WarmedUp)
        {
            var (times, weights) = source.Draw(32, step++);
            Assert.All(weights, w => Assert.Equal(1, w, 1e-12));
            source.Observe(times, [.. Enumerable.Range(0, 32).Select(i => Loss(times[i]))]);
        }
        var p = source.Probabilities();
        Assert.Equal(1, p.Sum(), 1e-12);
        double expected = Enumerable.Range(0, 20).Average(n => Loss(n));
        Assert.Equal(expected, p.Zip(source.Weights(), (p, w) => p * w).Select((pw, n) => pw * Loss(n)).Sum(), 1e-10);

        double[] Estimates(TimeSource s) => [.. Enumerable.Range(0, 4000).Select(k =>
        {
            var (t, w) = s.Draw(8, 100_000 + k);
            return Enumerable.Range(0, 8).Average(i => w[i] * Loss(t[i]));
        })];
        double Deviation(double[] v) => Math.Sqrt(v.Average(x => (x - v.Average()) * (x - v.Average())));
        var weighted = Estimates(source);
        var plain = Estimates(new UniformTime().Begin(Table, 4));
        Assert.Equal(expected, weighted.Average(), 5 * Deviation(weighted) / Math.Sqrt(4000));
        Assert.True(Deviation(weighted) < 0.1 * Deviation(plain));
    }

    [Fact]
    public void The_state_of_importance_sampling_resumes_to_the_same_bits()
    {
        var distribution = new LossSecondMoment(History: 3);
        var source = distribution.Begin(Table, 4);
        void Learn(TimeSource s, long from, long to)
        {
            for (long step = from; step < to; step++)
            {
                var (t, _) = s.Draw(16, step);
                s.Observe(t, [.. Enumerable.Range(0, 16).Select(i => 1 / (1 + t[i]) + step * 0.01)]);
            }
        }
        Learn(source, 0, 40);
        var resumed = distribution.Begin(Table, 4);
        resumed.State = source.State;
        Learn(source, 40, 60);
        Learn(resumed, 40, 60);
        Assert.True(((LossSecondMomentSource)resumed).WarmedUp);
        Assert.Equal(source.State, resumed.State);
        Assert.Equal(Values(source.Draw(8, 60)), Values(resumed.Draw(8, 60)));
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new LossSecondMoment().Begin(new EdmProcess(), 0));
        var source = new LossSecondMoment().Begin(Table, 0);
        Assert.Throws<ArgumentException>(() => source.Observe(20.0, [1]));
        Assert.Throws<ArgumentException>(() => source.Observe(0.5, [1]));
        Assert.Throws<ArgumentException>(() => source.Observe(3.0, [double.NaN]));
        Assert.Throws<ArgumentException>(() => source.State = [1, 2]);
        Assert.Throws<ArgumentException>(() => new UniformTime().Begin(Table, 0).State = [1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new UniformTime().Begin(Table, 0).Draw(0, 0));
    }
}
