using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;
using Langevin.Tests.Samplers;
using Langevin.Training;
using static Langevin.Tests.Guidance.ClassMixtures;
using static TorchSharp.torch;

namespace Langevin.Tests.Guidance;

/// <summary>Guidance by gradients: classifiers, energies, embeddings.</summary>
public class GradientGuidanceTests
{
    private static readonly VariancePreserving Vp = VariancePreserving.Linear();

    public static TheoryData<string> Names() => Kit.Names();

    [Theory, MemberData(nameof(Names))]
    public void An_exact_classifier_gives_the_conditional_score(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var process = Kit.Processes[name];
        using var mixture = Of(process);
        double t = process.TimeOfLambda(0.2);
        var (x, labels) = (Points(process, t), InTurn(12));
        var unconditional = mixture.Told(c => c.Null());
        var want = mixture.Denoise(x, t, labels).Score;
        Assert.True(Kit.MaxAbs(unconditional.GuidedByClassifier(mixture, 1).Denoise(x, t, labels).Score - want) < 1e-8 * (1 + Kit.MaxAbs(want)));
        // A scale is classifier-free guidance's, a temperature that of the posterior.
        Assert.True(Kit.MaxAbs(unconditional.GuidedByClassifier(mixture, 3).Denoise(x, t, labels).X0 - mixture.Guided(3).Denoise(x, t, labels).X0) < 1e-7);
        Assert.True(Kit.MaxAbs(unconditional.GuidedByClassifier(mixture, 1, temperature: 2).Denoise(x, t, labels).Score - want) > 1e-3);
        // No label, no guidance.
        var none = Labels(-1).Rows(12);
        Assert.True(Kit.MaxAbs(unconditional.GuidedByClassifier(mixture, 3).Denoise(x, t, none).Score - mixture.Denoise(x, t, none).Score) < 1e-12);
        Assert.Throws<ArgumentException>(() => unconditional.GuidedByClassifier(mixture, 3).Denoise(x, t, Condition.None));
    }

    [Fact]
    public void A_trained_classifier_comes_close_to_the_exact_one()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        using var mixture = Of(Vp);
        using var network = new NoisyClassifier(new() { ItemShape = [2], ClassCount = 3, Width = 32, Blocks = 2 });
        var classifier = new NetworkClassifier(new(network, Vp, new PlainPreconditioning()));
        using var trainer = new Trainer(classifier.Denoiser, new ClassificationObjective(), new UniformTime(), new() { LearningRate = 4e-3, ConditionDropout = 0 });
        double first = 0, last = 0;
        foreach (var step in trainer.Steps(Batches(mixture).Take(250)))
        {
            double loss = step.Loss.item<float>();
            if (step.Step <= 5) first += loss / 5;
            if (step.Step > 200) last += loss / 50;
        }
        Assert.True(last < first - 0.2, $"{first:f3} to {last:f3}");
        network.eval();
        using var off = no_grad();
        foreach (double t in new[] { 0.1, 0.4 })
        {
            var x = Kit.Draw(mixture[0], t, 100, 4).to(ScalarType.Float32);
            double miss = (classifier.Logits(x, t).softmax(1) - mixture.Logits(x, t).softmax(1)).abs().mean().item<float>();
            Assert.True(miss < 0.08, $"mean error of p(y | x) at {t}: {miss:f3}");
            // And what it steers by points the same way.
            var labels = Labels(0).Rows(100);
            var (got, want) = (mixture.Told(c => c.Null()).GuidedByClassifier(classifier).Denoise(x, t, labels).Score, mixture.Denoise(x, t, labels).Score);
            var none = mixture.Denoise(x, t, labels.Null()).Score;
            double cosine = ((got - none) * (want - none)).sum().item<float>() / ((got - none).norm() * (want - none).norm()).item<float>();
            Assert.True(cosine > 0.8, $"cosine at {t}: {cosine:f3}");
        }
    }

    [Fact]
    public void A_classifier_of_images_has_logits_and_gradients()
    {
        using var scope = NewDisposeScope();
        using var network = new NoisyClassifier(new() { ItemShape = [3, 8, 8], ClassCount = 5, Width = 8, Blocks = 2 });
        var classifier = new NetworkClassifier(new(network, Vp, new PlainPreconditioning()));
        var x = randn(4, 3, 8, 8);
        Assert.Equal([4, 5], classifier.Logits(x, 0.3).shape);
        // Logits start at zero: every class is as likely, and learns from its labels alone.
        var loss = new ClassificationObjective().Loss(classifier.Denoiser, x, Labels(0, 1, -1, 2), Times.Each([0.1, 0.2, 0.3, 0.4]), randn_like(x));
        Assert.True(Kit.MaxAbs(loss - Math.Log(5) * tensor(new[] { 1f, 1, 0, 1 })) < 1e-6);
        Assert.Throws<ArgumentException>(() => new NoisyClassifier(new() { ItemShape = [3, 9, 9], Blocks = 3 }));
        Assert.Throws<ArgumentException>(() => classifier.Logits(randn(4, 3, 8, 9), 0.3));
        Assert.Equal(7, NoisyClassifierConfig.Parse(new NoisyClassifierConfig { ClassCount = 7 }.ToJson()).ClassCount);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_quadratic_energy_gives_the_product_of_gaussians(string name)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var process = Kit.Processes[name];
        double v = 0.36, tau2 = 0.25;
        var (mean, y) = (tensor(new[,] { { 0.7, -0.2 } }), tensor(new[] { -0.5, 0.4 }));
        GaussianMixture Gaussian(Tensor m, double variance) => new(process, ones(1, ScalarType.Float64), m, tensor(new[] { Math.Sqrt(variance) }));
        using var prior = Gaussian(mean, v);
        double product = 1 / (1 / v + 1 / tau2);
        using var posterior = Gaussian(product * (mean / v + y / tau2), product);
        // The exact weight, as the remarks give it: τ²/(τ² + Var[x_0 | x_t]).
        var guided = prior.GuidedByEnergy(x0 => (x0 - y).square().sum(1) / (2 * tau2), weight: (p, t) =>
        {
            double s2 = Math.Pow(p.Sigma(t), 2), uncertain = v * s2 / (Math.Pow(p.Alpha(t), 2) * v + s2);
            return tau2 / (tau2 + uncertain);
        });
        foreach (double lambda in new[] { -1, 0, 2 })
        {
            double t = process.TimeOfLambda(lambda);
            var x = Points(process, t);
            var (got, want) = (guided.Denoise(x, t, Condition.None), posterior.Denoise(x, t, Condition.None));
            Assert.True(Kit.MaxAbs(got.X0 - want.X0) < 1e-8, $"{name} λ = {lambda}: {Kit.MaxAbs(got.X0 - want.X0):g3}");
            // Without the weight it is another density.
            var plain = prior.GuidedByEnergy(x0 => (x0 - y).square().sum(1) / (2 * tau2)).Denoise(x, t, Condition.None);
            Assert.True(Kit.MaxAbs(plain.X0 - want.X0) > 1e-3);
        }
    }

    [Fact]
    public void Energies_and_encoders_must_be_differentiable_functions_of_each_sample()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var mixture = Of(Vp);
        var x = Points(Vp, 0.4);
        Assert.Throws<InvalidOperationException>(() => mixture.GuidedByEnergy(x0 => x0.detach().sum(1)).Denoise(x, 0.4, Condition.None));
        // A parameter gives the energy a graph, but one that x is not in: torch would end the process.
        using var parameter = ones(1, ScalarType.Float64).requires_grad_();
        Assert.Throws<InvalidOperationException>(() => mixture.GuidedByEnergy(x0 => (x0.detach() * parameter).sum(1)).Denoise(x, 0.4, Condition.None));
        Assert.Throws<ArgumentException>(() => mixture.GuidedByEnergy(x0 => x0).Denoise(x, 0.4, Condition.None));
        Assert.Throws<ArgumentException>(() => mixture.GuidedTowards((z, _) => z, ones(3, ScalarType.Float64), 1).Denoise(x, 0.4, Condition.None));
        // Outside its interval nothing is differentiated.
        Assert.NotNull(mixture.GuidedByEnergy(x0 => x0.detach().sum(1), interval: Interval.OfTime(0.5, 1)).Denoise(x, 0.4, Condition.None));
    }

    [Fact]
    public void Semantic_guidance_follows_the_cosine()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var mixture = Of(Vp);
        var (x, target) = (Points(Vp, 0.4), tensor(new[] { 3.0, 4.0 }));
        // F(x) = x: ∇ cos = (target/|target| − cos x/|x|)/|x|.
        var unit = target / 5;
        var norm = x.norm(1, keepdim: true);
        var cosine = (x * unit).sum(1, keepdim: true) / norm;
        var want = mixture.Denoise(x, 0.4, Condition.None).Score + 2 * (unit - cosine * x / norm) / norm;
        Assert.True(Kit.MaxAbs(mixture.GuidedTowards((z, _) => z, target, 2).Denoise(x, 0.4, Condition.None).Score - want) < 1e-8);
        // By way of the clean sample: samples come to lie in the target's direction.
        var noise = new BatchNoise(1);
        var guided = mixture.GuidedByEnergy(EnergyGuidance.Dissimilarity(z => z, target), 8);
        Tensor Cosine(IDenoiser model)
        {
            var drawn = new Ddim().Run(model, randn([100, 2], ScalarType.Float64, generator: new Generator(1)), TimeGrid.Uniform(Vp, 20), noise: noise);
            return ((drawn * unit).sum(1) / drawn.norm(1)).mean();
        }
        Assert.True(Cosine(guided).item<double>() > Cosine(mixture).item<double>() + 0.5);
    }

    [Fact]
    public void Time_travel_leaves_the_marginals_and_mends_a_wrong_start()
    {
        using var scope = NewDisposeScope();
        using var mixture = Kit.Mixture(Vp);
        var grid = TimeGrid.Uniform(Vp, 40);
        var exact = Kit.Draw(mixture, grid[40], 1500, 9);
        // Time travel over the middle part; DDPM's steps are exact draws up to their size.
        var travel = new TimeTravel(new DdpmAncestral(), 2, From: 3, To: 0.1);
        var last = travel.Steps(mixture, Kit.Draw(mixture, 1, 1500, 8), grid, noise: new BatchNoise(2)).Last();
        Assert.InRange(Kit.Sliced(last.X, exact), 0, 2.2);
        Assert.InRange(last.Evaluations, 60, 119);
        // From a start at the wrong level of noise the plain flow does not recover; with time travel it does better.
        var wrong = Kit.Draw(mixture, 0.5, 1500, 8) * 0.5;
        var half = new TimeGrid(Enumerable.Range(0, 21).Select(i => 0.5 - 0.49 * i / 20));
        double Miss(Sampler sampler) => Kit.Sliced(sampler.Run(mixture, wrong, half, noise: new BatchNoise(3)), exact);
        Assert.True(Miss(new TimeTravel(new Ddim(), 4)) < 0.7 * Miss(new Ddim()), $"{Miss(new TimeTravel(new Ddim(), 4)):f2} against {Miss(new Ddim()):f2}");
    }

    private static IEnumerable<TrainingBatch> Batches(ClassMixture mixture)
    {
        using var generator = new Generator(7);
        while (true)
        {
            using var scope = NewDisposeScope();
            var parts = Enumerable.Range(0, 3).Select(k => mixture[k].Draw((long[])[128, 77, 51] is var n ? n[k] : 0, generator)).ToArray();
            var labels = cat([.. parts.Select((p, k) => full(p.shape[0], (long)k, ScalarType.Int64))]);
            yield return new(cat(parts).to(ScalarType.Float32), Condition.OfLabel(labels));
        }
    }
}
