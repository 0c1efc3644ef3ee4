using Langevin.Objectives;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class DecoderTests
{
    [Theory, InlineData(false, 256), InlineData(true, 256), InlineData(false, 16), InlineData(false, 2)]
    public void The_levels_probabilities_sum_to_one(bool approximation, int levels)
    {
        using var scope = NewDisposeScope();
        var x = linspace(-1, 1, levels, ScalarType.Float64).unsqueeze(0);
        foreach (double std in new[] { 0.003, 0.05, 1, 10 })
        {
            var mean = tensor([-1.4, -0.7, 0, 0.01, 0.9, 1.1], ScalarType.Float64).unsqueeze(1);
            var log = new DiscretizedGaussian(levels, approximation).LogLikelihood(x.expand(6, levels), mean, tensor(2 * Math.Log(std), ScalarType.Float64));
            Assert.True(log.exp().sum(1).allclose(ones(6, ScalarType.Float64), 1e-8, 1e-8), $"{std}");
        }
    }

    // log(Φ(b) − Φ(a)) far out, against the leading terms of its expansion.
    [Fact]
    public void Tails_are_exact_and_their_gradient_finite_in_single_precision()
    {
        using var scope = NewDisposeScope();
        var x = tensor([0.5f, -0.5f, 1f, -1f, 1f, 0.2f]);
        var mean = tensor([-0.5f, 0.5f, -1f, 1f, 3f, 0.2f]).requires_grad_();
        const double std = 0.02;
        var log = new DiscretizedGaussian().LogLikelihood(x, mean, tensor(2 * Math.Log(std), ScalarType.Float64));
        log.sum().backward();
        Assert.True(mean.grad!.isfinite().all().item<bool>());
        double Tail(double z) => -0.5 * z * z - Math.Log(z * Math.Sqrt(2 * Math.PI)) + Math.Log(1 - 1 / (z * z) + 3 / Math.Pow(z, 4));
        double near = Tail((1 - 1 / 255.0) / std), far = Tail((1 + 1 / 255.0) / std), outer = Tail((2 - 1 / 255.0) / std);
        double[] expected = [near + Math.Log(1 - Math.Exp(far - near)), near + Math.Log(1 - Math.Exp(far - near)), outer, outer, 0, Math.Log(0.15543)];
        var got = log.to(ScalarType.Float64).data<double>().ToArray();
        for (int i = 0; i < 4; i++) Assert.Equal(1, got[i] / expected[i], 1e-4);
        Assert.Equal(0, got[4], 1e-6);
        Assert.Equal(expected[5], got[5], 2e-3); // Φ(0.196) − Φ(−0.196)
    }

    [Fact]
    public void The_approximation_is_close_where_it_matters()
    {
        using var scope = NewDisposeScope();
        var x = linspace(-1, 1, 256, ScalarType.Float64);
        var mean = x + 0.01;
        var variance = tensor(2 * Math.Log(0.02), ScalarType.Float64);
        var exact = new DiscretizedGaussian().LogLikelihood(x, mean, variance);
        var close = new DiscretizedGaussian(TanhApproximation: true).LogLikelihood(x, mean, variance);
        Assert.True((exact - close).abs().max().item<double>() < 0.05);
    }

    [Fact]
    public void Divergences_of_gaussians()
    {
        using var scope = NewDisposeScope();
        Tensor D(double v) => tensor(v, ScalarType.Float64);
        Assert.Equal(0, Gaussians.Kl(D(1), D(-3), D(1), D(-3)).item<double>());
        Assert.Equal(2, Gaussians.Kl(D(1), D(0), D(3), D(0)).item<double>(), 1e-12);
        double v1 = 0.3, v2 = 2.5;
        Assert.Equal(0.5 * (v1 / v2 - 1 - Math.Log(v1 / v2)), Gaussians.Kl(D(0), D(Math.Log(v1)), D(0), D(Math.Log(v2))).item<double>(), 1e-12);
    }
}
