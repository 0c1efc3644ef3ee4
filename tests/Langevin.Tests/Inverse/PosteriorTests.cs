using Langevin.Denoisers;
using Langevin.Inverse;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Tests.Inverse;

/// <summary>The oracle itself: mixtures of any covariance, and their posterior given a measurement, in double.</summary>
public class PosteriorTests
{
    private const ScalarType Double = ScalarType.Float64;

    [Fact]
    public void The_posterior_is_Bayes_rule()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(VariancePreserving.Linear());
        foreach (var (name, create) in Lab.Operators)
        {
            using var a = create();
            var y = a.Measure(Lab.Draw(prior, 1, 5), 0.2);
            using var posterior = prior.Posterior(new(a, y, 0.2));
            // log p(x|y) − log p(x) − log N(y; A x, σ²) is the same for every x.
            var x = Lab.Draw(prior, 20, 6);
            var likelihood = -0.5 / 0.04 * (y - a.Forward(x)).flatten(1).square().sum(1);
            var rest = posterior.LogProbability(x, 0) - prior.LogProbability(x, 0) - likelihood;
            Assert.True(rest.std().item<double>() < 1e-7 * likelihood.abs().max().item<double>(), $"{name}: {rest.std().item<double>():g3}");
        }
    }

    [Fact]
    public void Without_noise_the_posterior_explains_the_measurement()
    {
        using var scope = NewDisposeScope();
        using var prior = Lab.Mixture(new EdmProcess());
        foreach (var (name, create) in Lab.Operators)
        {
            using var a = create();
            var y = a.Forward(Lab.Draw(prior, 1, 5));
            using var posterior = prior.Posterior(new(a, y));
            Assert.True(OperatorTests.Near(a.Forward(Lab.Draw(posterior, 50, 1)), y.expand([50, .. y.shape[1..]]), 1e-4), name);
            Assert.True(OperatorTests.Near(a.Forward(posterior.Means), y.expand([3, .. y.shape[1..]]), 1e-9), name);
        }
        using var all = new Inpainting(ones(4, 4));
        Assert.Throws<ArgumentException>(() => prior.Posterior(new(all, zeros(2, 1, 4, 4))));
    }

    [Fact]
    public void A_mixture_of_equal_variances_is_the_isotropic_one()
    {
        using var scope = NewDisposeScope();
        var process = new RectifiedFlow();
        Tensor weights = tensor(new[] { 0.2, 0.8 }), means = OperatorTests.Random(1, 2, 3), stds = tensor(new[] { 0.3, 0.7 });
        using var isotropic = new GaussianMixture(process, weights, means, stds);
        using var general = GaussianMixture.WithCovariances(process, weights, means, stds.square().view(2, 1, 1) * eye(3, dtype: Double));
        var x = OperatorTests.Random(2, 5, 3);
        foreach (double t in new[] { 0.01, 0.4, 1 })
        {
            Prediction one = isotropic.Denoise(x, t, Condition.None), two = general.Denoise(x, t, Condition.None);
            Assert.True(OperatorTests.Near(one.X0, two.X0, 1e-12) && OperatorTests.Near(one.Epsilon, two.Epsilon, 1e-12));
            Assert.True(OperatorTests.Near(isotropic.LogProbability(x, t), general.LogProbability(x, t), 1e-12));
        }
        Assert.True(OperatorTests.Near(isotropic.Covariances, general.Covariances, 1e-12) && OperatorTests.Near(isotropic.Covariance(), general.Covariance(), 1e-12));
        Assert.Throws<ArgumentException>(() => GaussianMixture.WithCovariances(process, weights, means, eye(3, dtype: Double)));
    }

    [Fact]
    public void The_score_is_the_density_s_gradient_and_draws_have_the_moments()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Cosine();
        using var mixture = Lab.Mixture(process);
        var x = Lab.Draw(mixture, 6, 3).requires_grad_();
        var gradient = autograd.grad([mixture.LogProbability(x, 0.4).sum()], [x])[0];
        Assert.True(OperatorTests.Near(mixture.Denoise(x.detach(), 0.4, Condition.None).Score, gradient, 1e-10));
        var draws = Lab.Draw(mixture, 20_000, 4).flatten(1);
        var covariance = mixture.Covariance();
        double error = OperatorTests.Norm(draws.t().cov() - covariance) / OperatorTests.Norm(covariance);
        Assert.True(error < 0.05, $"{error}"); // √(16/20,000) is 0.028
        Assert.True(OperatorTests.Near(draws.mean([0L]), mixture.Mean().flatten(), 0.04));
    }
}
