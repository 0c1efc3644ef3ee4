using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Goldens;
using static TorchSharp.torch;

namespace Langevin.Tests.Samplers;

public class LikelihoodTests
{
    public static TheoryData<string> Names() => Kit.Names();

    [Theory, MemberData(nameof(Names))]
    public void The_exact_trace_gives_the_density_to_a_thousandth_of_a_nat(string name)
    {
        using var scope = NewDisposeScope();
        var process = Kit.Processes[name];
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.MinTime, 6, 1);
        if (double.IsInfinity(process.PriorStd))
        {
            Assert.Contains("infinite", Assert.Throws<ArgumentException>(() => new Likelihood().Evaluate(mixture, x)).Message, StringComparison.Ordinal);
            return;
        }
        using var result = new Likelihood(1e-6, 1e-6, DivergenceEstimator.Exact).Evaluate(mixture, x);
        // The prior stands for p_T; with p_T itself the flow's figure is exact.
        var exact = mixture.LogProbability(x, process.MinTime);
        var corrected = result.LogLikelihood - result.Prior + mixture.LogProbability(result.Latent, process.MaxTime);
        Assert.True(Kit.MaxAbs(corrected - exact) < 1e-3, $"{name}: {Kit.MaxAbs(corrected - exact):g3} in {result.Evaluations}");
        Assert.True(Kit.MaxAbs(result.LogLikelihood - exact) < 0.05, $"{name}: prior {Kit.MaxAbs(result.LogLikelihood - exact):g3}");
    }

    [Theory]
    [InlineData(DivergenceEstimator.Rademacher)]
    [InlineData(DivergenceEstimator.Gaussian)]
    public void Hutchinsons_estimate_is_unbiased_with_an_honest_error(DivergenceEstimator divergence)
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.MinTime, 6, 2);
        using var exact = new Likelihood(1e-5, 1e-5, DivergenceEstimator.Exact).Evaluate(mixture, x);
        using var estimate = new Likelihood(1e-5, 1e-5, divergence, Probes: 64).Evaluate(mixture, x);
        var pull = (estimate.LogLikelihood - exact.LogLikelihood) / (estimate.StandardError! + 1e-4);
        Assert.True(Kit.MaxAbs(pull) < 4, $"{Kit.MaxAbs(pull):0.0}");
        Assert.True(Kit.MaxAbs(estimate.StandardError!) < 1);
        Assert.True(Kit.MaxAbs(estimate.Latent - exact.Latent) < 1e-3);
    }

    [Fact]
    public void One_probe_has_no_standard_error_and_a_seed_gives_one_result()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.MinTime, 3, 3);
        using var first = new Likelihood().Evaluate(mixture, x, noise: new SeededNoise(5));
        using var second = new Likelihood().Evaluate(mixture, x, noise: new SeededNoise(5));
        Assert.Null(first.StandardError);
        Assert.Equal(0, Kit.MaxAbs(first.LogLikelihood - second.LogLikelihood));
    }

    [Fact]
    public void The_latent_samples_back_to_the_data()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Cosine();
        using var mixture = Kit.Mixture(process);
        var x = Kit.Draw(mixture, process.MinTime, 4, 4);
        using var result = new Likelihood(1e-8, 1e-8).Evaluate(mixture, x);
        var back = new DormandPrince(1e-8, 1e-8).Run(mixture, result.Latent, new TimeGrid([process.MaxTime, process.MinTime]));
        Assert.True(Kit.MaxAbs(back - x) < 1e-4, $"{Kit.MaxAbs(back - x):g3}");
    }

    [Fact]
    public void Uniform_data_of_256_levels_cost_eight_bits()
    {
        using var scope = NewDisposeScope();
        var result = new LikelihoodResult(tensor(new[] { -10 * Math.Log(2) }), null, zeros(1), zeros(1, 10), 10, 0);
        Assert.Equal(8, result.BitsPerDimension(256, 2).item<double>(), 12);
    }

    [Fact]
    public void A_denoiser_without_gradient_is_an_error_not_an_abort()
    {
        using var scope = NewDisposeScope();
        var process = new EdmProcess();
        using var mixture = Kit.Mixture(process);
        var blind = new FunctionDenoiser(process, (x, t) => mixture.Denoise(x.detach(), t, Condition.None));
        var error = Assert.Throws<InvalidOperationException>(() => new Likelihood().Evaluate(blind, ones(2, 2, ScalarType.Float64)));
        Assert.Contains("differentiably", error.Message, StringComparison.Ordinal);
    }
}
