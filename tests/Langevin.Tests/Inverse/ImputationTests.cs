using Langevin.Data.Procedural;
using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Metrics.Series;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>Gaps filled in, classically and by draws; and the score that judges them.</summary>
public class ImputationTests
{
    private static Tensor Row(params float[] values) => tensor(values).view(1, 1, -1);

    [Fact]
    public void Classical_fillings_are_those_worked_by_hand()
    {
        using var scope = NewDisposeScope();
        var (values, mask) = (Row(9, 1, 9, 9, 4, 9, 6, 9), Row(0, 1, 0, 0, 1, 0, 1, 0));
        Assert.True(Imputation.Linear(values, mask).SameAs(Row(1, 1, 2, 3, 4, 5, 6, 6)));
        Assert.True(Imputation.LastObserved(values, mask).SameAs(Row(1, 1, 1, 1, 4, 4, 6, 6)));
        Assert.True(Imputation.Mean(values, mask).allclose(Row(11 / 3f, 1, 11 / 3f, 11 / 3f, 4, 11 / 3f, 6, 11 / 3f)));
        foreach (var fill in new[] { Imputation.Linear, Imputation.LastObserved, Imputation.Mean })
        {
            Assert.True(fill(values, zeros_like(mask)).SameAs(zeros_like(values)));
            Assert.True(fill(values, ones_like(mask)).SameAs(values));
            // Row by row, whatever stands beside it.
            var both = fill(cat([values, -values], 1), cat([mask, mask], 1));
            Assert.True(both.narrow(1, 1, 1).SameAs(-fill(values, mask)));
        }
        Assert.Throws<ArgumentException>(() => Imputation.Linear(values, mask.squeeze(0)));
        Assert.True(Imputation.Median(tensor(new float[] { 3, 1, 2, 8 }).view(1, 4, 1, 1)).SameAs(tensor(2f).view(1, 1, 1)));
    }

    [Fact]
    public void Draws_keep_what_is_given_and_do_not_depend_on_the_batches()
    {
        using var scope = NewDisposeScope();
        var process = DiscreteProcess.FromBetas(Betas.ScaledLinear(20, 1e-4, 0.5));
        // Standard normal data, of which nothing given says anything: ε̂ = σ x, and steps of variance β keep them standard normal.
        var denoiser = new NetworkDenoiser(new FunctionNetwork((x, noise) => noise.to(x.dtype) * x), process, new SigmaToldPreconditioning());
        var (values, mask) = (randn(3, 2, 50) + 5, rand(3, 2, 50).lt(0.5).to(ScalarType.Float32));
        Tensor Draw(int batch) => Imputation.Draw((v, m) =>
        {
            Assert.True(v.SameAs(v * m));
            return new(denoiser, new DdpmAncestral(ReverseVariance.Large), Condition.None);
        }, TimeGrid.Uniform(process, 20, toData: true), values, mask, 40, seed: 3, batchSize: batch);
        var draws = Draw(64);
        Assert.Equal([3, 40, 2, 50], draws.shape);
        Assert.True((draws * mask.unsqueeze(1)).SameAs((values * mask).unsqueeze(1).expand(draws.shape)));
        Assert.True(draws.allclose(Draw(7), 1e-5, 1e-6));
        var free = draws.masked_select(mask.eq(0).unsqueeze(1).expand(draws.shape)).to(ScalarType.Float64);
        // About 6,000 values: standard errors 0.013 and 0.009.
        Assert.True(Math.Abs(free.mean().item<double>()) < 0.06);
        Assert.True(Math.Abs(free.std().item<double>() - 1) < 0.05);
    }

    private sealed record SigmaToldPreconditioning : Preconditioning
    {
        public override PredictionKind Kind => PredictionKind.Epsilon;
        public override bool IsPlain => true;
        public override double Noise(GaussianProcess process, double t) => process.Sigma(t);
    }

    [Fact]
    public void Shares_of_the_score_add_up_to_it()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (forecast, target, mask) = (randn(6, 11, 2, 5), randn(6, 2, 5), rand(6, 2, 5).lt(0.5).to(ScalarType.Float32));
        var items = Crps.NormalisedItems(forecast, target, mask);
        double scale = (target * mask).abs().sum().item<float>();
        double[] levels = [.. Enumerable.Range(1, 19).Select(i => i / 20.0)];
        for (int i = 0; i < 6; i++)
        {
            double sum = 0;
            foreach (double q in levels)
            {
                var under = (target - Crps.Quantile(forecast, q))[i];
                sum += (under * q).maximum(under * (q - 1)).mul(mask[i]).sum().item<float>();
            }
            Assert.Equal(6 * 2 * sum / (19 * scale), items[i].item<double>(), 1e-5);
        }
        Assert.Equal(Crps.Normalised(forecast, target, mask), items.mean().item<double>(), 1e-12);
    }

    [Fact]
    public void Correlated_series_have_their_covariance_and_posterior()
    {
        using var scope = NewDisposeScope();
        const int n = 20_000, size = CorrelatedSeries.Features * CorrelatedSeries.Length;
        using var set = CorrelatedSeries.Create(n, seed: 4);
        var covariance = CorrelatedSeries.Covariance();
        Assert.True(covariance.diagonal().allclose(ones(size, ScalarType.Float64)));
        Assert.True(linalg.eigvalsh(covariance).min().item<double>() > 1e-4);
        var x = set.Values.view(n, size).to(ScalarType.Float64);
        // Each entry has a standard error of at most √2/√n = 0.01; the largest of 18,528 lies within five.
        Assert.True((x.t().mm(x) / n - covariance).abs().max().item<double>() < 0.05);
        using var again = CorrelatedSeries.Create(1, seed: 4, first: 17);
        Assert.True(again.Values.SameAs(set.Values[17..18]));
        Assert.True(again.Given.SameAs(set.Given[17..18]));

        // The posterior of one series by blocks of the covariance.
        var (mean, std) = CorrelatedSeries.Posterior(set.Values[..40], set.Given[..40]);
        var given = set.Given[3].flatten();
        Tensor there = given.nonzero().view(-1), gone = (1 - given).nonzero().view(-1);
        var across = covariance.index_select(0, gone).index_select(1, there);
        var gain = linalg.solve(covariance.index_select(0, there).index_select(1, there), across.t()).t();
        Assert.True(mean[3].flatten().index_select(0, gone).allclose(gain.mv(x[3].index_select(0, there)), 1e-6, 1e-8));
        var variance = covariance.diagonal().index_select(0, gone) - (gain * across).sum(1);
        Assert.True(std[3].flatten().index_select(0, gone).allclose(variance.sqrt(), 1e-6, 1e-8));
        Assert.True(std[3].flatten().index_select(0, there).eq(0).all().item<bool>());
        // It is calibrated: of the 3,500 or so hidden values, correlated within a series, the standardised ones have variance 1.
        var hidden = set.Given[..40].eq(0);
        var z = ((set.Values[..40] - mean) / std.clamp_min(1e-12)).masked_select(hidden);
        Assert.Equal(1, z.square().mean().item<double>(), 0.15);
    }
}
