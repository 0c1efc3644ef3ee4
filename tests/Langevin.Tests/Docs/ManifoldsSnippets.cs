using Langevin.Manifolds;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/manifolds.md.</summary>
public class ManifoldsSnippets
{
    [Fact]
    public void A_score_on_the_sphere_learns_samples_and_judges()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var points = new Sphere().Uniform(16);

        var sphere = new Sphere();
        var network = new ResidualMlp(new() { Dimensions = sphere.Ambient });
        var field = new NetworkScore(sphere, network);
        Tensor loss = new ScoreMatching(ScoreTarget.HeatKernel).Loss(field, points).mean();   // or Varadhan, or Implicit

        TimeGrid grid = GeodesicWalk.Times(start: 5, end: 2e-3, steps: 100);
        Tensor samples = GeodesicWalk.Reverse(field, sphere.Uniform(10), grid, new SeededNoise(1));
        Tensor logDensity = new ManifoldLikelihood().Evaluate(field, samples);                // nats per unit volume

        Assert.True(loss.item<double>() > 0);
        Assert.True((sphere.Project(samples) - samples).abs().max().item<double>() < 1e-10);
        Assert.True(logDensity.isfinite().all().item<bool>());
        network.Dispose();
    }
}
