using Langevin.Networks;
using Langevin.Objectives;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Objectives;

public class AdversarialLossTests
{
    [Fact]
    public void At_its_best_the_discriminator_measures_the_Jensen_Shannon_divergence()
    {
        using var scope = NewDisposeScope();
        // Two distributions over four points; batches that hold each point as often as its probability says, in tenths.
        var (p, q) = (tensor([0.4, 0.3, 0.2, 0.1]), tensor([0.1, 0.1, 0.3, 0.5]));
        Tensor Points(Tensor weights) => arange(4, ScalarType.Int64).repeat_interleave((weights * 10).round().to(ScalarType.Int64));
        var best = (p / q).log().requires_grad_(true);
        var loss = AdversarialLoss.NonSaturating.Discriminator(best[Points(p)], best[Points(q)]);
        var mean = (p + q) / 2;
        double divergence = (0.5 * (p * (p / mean).log()).sum() + 0.5 * (q * (q / mean).log()).sum()).item<double>();
        Assert.Equal(Math.Log(4) - 2 * divergence, loss.item<double>(), 1e-12);
        loss.backward();
        Assert.True(best.grad!.abs().max().item<double>() < 1e-12);
        // The game is zero-sum with the saturating loss: what f adds to one it takes from the other.
        var f = tensor([-2.0, 0.5, 3]);
        var (zero, anything) = (zeros(3, ScalarType.Float64), AdversarialLoss.Saturating);
        Assert.Equal(Math.Log(2), (anything.Generator(f) + anything.Discriminator(zero, f)).item<double>(), 1e-12);
    }

    [Fact]
    public void Losses_are_their_formulas()
    {
        using var scope = NewDisposeScope();
        var (r, f) = (tensor([2.0, -0.5]), tensor([0.3, -1.5]));
        static double Log1pExp(double x) => Math.Log(1 + Math.Exp(x));
        Assert.Equal((Log1pExp(-0.3) + Log1pExp(1.5)) / 2, AdversarialLoss.NonSaturating.Generator(f).item<double>(), 1e-12);
        Assert.Equal(-(Log1pExp(0.3) + Log1pExp(-1.5)) / 2, AdversarialLoss.Saturating.Generator(f).item<double>(), 1e-12);
        Assert.Equal(1.5 / 2 + 1.3 / 2, AdversarialLoss.Hinge.Discriminator(r, f).item<double>(), 1e-12);
        Assert.Equal(0.6, AdversarialLoss.Hinge.Generator(f).item<double>(), 1e-12);
        Assert.Equal(-0.6 - 0.75, AdversarialLoss.Wasserstein.Discriminator(r, f).item<double>(), 1e-12);
    }

    [Fact]
    public void Gradient_penalty_of_a_quadratic_and_its_gradient_are_the_closed_forms()
    {
        using var scope = NewDisposeScope();
        // D(x) = w·x + a|x|²/2 has slope w + a x: ½ E|w + a x|².
        var x = tensor([1.0, 2, -1, 0.5]).view(2, 2);
        var w = tensor([0.3, -0.7]).requires_grad_(true);
        var a = tensor(2.0).requires_grad_(true);
        var penalty = AdversarialLoss.GradientPenalty(s => (s * w).sum(1) + 0.5 * a * s.square().sum(1), x);
        var slope = (w + a * x).detach();
        Assert.Equal(0.5 * slope.square().sum(1).mean().item<double>(), penalty.item<double>(), 1e-12);
        penalty.backward();
        Assert.True((w.grad! - slope.mean([0L])).abs().max().item<double>() < 1e-12);
        Assert.Equal((slope * x).sum(1).mean().item<double>(), a.grad!.item<double>(), 1e-12);
    }

    [Fact]
    public void The_penalty_of_a_convolutional_discriminator_agrees_with_differences()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var config = new DcganConfig { Height = 8, Width = 8, BaseWidth = 8, Latent = 4 };
        using var gan = new Dcgan(config);
        gan.to(ScalarType.Float64);
        var x = gan.Generator.call(randn(2, 4, ScalarType.Float64)).detach();
        Assert.Equal([2L, 1, 8, 8], x.shape);
        var penalty = AdversarialLoss.GradientPenalty(gan.Discriminator.call, x);
        // Its own gradient along a direction of the first weights, by a difference of penalties.
        penalty.backward();
        var weight = gan.Discriminator.named_parameters().First(p => p.name == "conv_in.weight").parameter;
        var slopeOfWeight = weight.grad!.clone();
        var direction = randn_like(slopeOfWeight);
        double Shifted(double by)
        {
            using (no_grad()) weight.add_(by * direction);
            double value = AdversarialLoss.GradientPenalty(gan.Discriminator.call, x).item<double>();
            using (no_grad()) weight.sub_(by * direction);
            return value;
        }
        double expected = (Shifted(1e-6) - Shifted(-1e-6)) / 2e-6;
        Assert.Equal(expected, (slopeOfWeight * direction).sum().item<double>(), 1e-5 * Math.Max(1e-3, Math.Abs(expected)));
        // Central differences along every pixel; leaky kinks are not crossed by so small a step.
        using var still = no_grad();
        double sum = 0;
        const double h = 1e-6;
        for (int i = 0; i < 64; i++)
        {
            var step = zeros(1, 64, ScalarType.Float64);
            step[0, i] = h;
            var slope = (gan.Discriminator.call(x + step.view(1, 1, 8, 8)) - gan.Discriminator.call(x - step.view(1, 1, 8, 8))) / (2 * h);
            sum += slope.square().mean().item<double>();
        }
        Assert.Equal(0.5 * sum, penalty.item<double>(), 1e-6 * sum);
        Assert.Equal([2L, 1], gan.Discriminator.call(x).shape);
    }
}
