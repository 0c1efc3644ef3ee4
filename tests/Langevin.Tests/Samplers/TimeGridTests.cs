using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Tests.Samplers;

public class TimeGridTests
{
    private static readonly DiscreteProcess Table = DiscreteProcess.FromBetas(Betas.Linear());

    [Fact]
    public void Every_grid_descends_to_clean_data()
    {
        TimeGrid[] grids =
        [
            TimeGrid.All(Table), TimeGrid.Spaced(Table, 50), TimeGrid.Leading(Table, 50), TimeGrid.Leading(Table, 50, 1), TimeGrid.Trailing(Table, 50),
            TimeGrid.Sections(Table, "10,15,20"), TimeGrid.Sections(Table, "ddim50"), TimeGrid.Karras(Table, 18), TimeGrid.Exponential(Table, 18),
            TimeGrid.Beta(Table, 18), TimeGrid.Uniform(Table, 18, toData: true),
        ];
        Assert.All(grids, g => Assert.Equal(Table.DataTime, g.Times[^1]));
        Assert.Equal([1000, 50, 50, 50, 50, 45, 50, 18, 18, 18, 18], grids.Select(g => g.Steps));
        Assert.Equal(0, TimeGrid.Leading(Table, 50, 1, toData: false).Times[^1]);
    }

    [Fact]
    public void A_grid_by_noise_level_has_those_levels()
    {
        foreach (var process in Kit.Processes.Values)
        {
            double low = Math.Max(0.02, Ratio(process, process.MinTime)), high = Math.Min(5, Ratio(process, process.MaxTime));
            var sigmas = TimeGrid.Karras(process, 9, sigmaMin: low, sigmaMax: high).Sigmas(process);
            Assert.Equal(high, sigmas[0], 8);
            Assert.Equal(low, sigmas[8], 8);
            Assert.Equal(0, sigmas[9]);
            double root = Math.Pow(0.5 * (Math.Pow(high, 1 / 7.0) + Math.Pow(low, 1 / 7.0)), 7);
            Assert.Equal(root, sigmas[4], 8);
        }
    }

    [Fact]
    public void The_beta_quantile_inverts_its_distribution()
    {
        // Beta(1/2, 1/2) is the arcsine law, Beta(1, 3) and Beta(2, 1) are powers.
        foreach (double p in new[] { 1e-3, 0.2, 0.5, 0.9, 0.999 })
        {
            Assert.Equal(Math.Pow(Math.Sin(p * Math.PI / 2), 2), BetaDistribution.Quantile(p, 0.5, 0.5), 10);
            Assert.Equal(1 - Math.Cbrt(1 - p), BetaDistribution.Quantile(p, 1, 3), 10);
            Assert.Equal(Math.Sqrt(p), BetaDistribution.Quantile(p, 2, 1), 10);
        }
    }

    [Fact]
    public void Bad_grids_are_refused_with_a_reason()
    {
        Assert.Contains("not below", Assert.Throws<ArgumentException>(() => new TimeGrid([1, 1, 0])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TimeGrid([1]));
        Assert.Throws<ArgumentException>(() => new TimeGrid([1, double.NaN, 0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeGrid.Spaced(Table, 1001));
        Assert.Throws<ArgumentOutOfRangeException>(() => TimeGrid.Trailing(Table, 0));
        Assert.Throws<ArgumentException>(() => TimeGrid.Leading(Table, 1000, 1));
        Assert.Throws<ArgumentException>(() => TimeGrid.Sections(Table, "ddim999"));
        Assert.Throws<ArgumentException>(() => TimeGrid.Sections(Table, "10,x"));
        Assert.Throws<ArgumentException>(() => TimeGrid.Karras(new RectifiedFlow(), 10)); // σ/α is infinite at t = 1
    }

    private static double Ratio(GaussianProcess p, double t) => p.Sigma(t) / p.Alpha(t);
}
