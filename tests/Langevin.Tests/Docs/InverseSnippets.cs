using Langevin.Inverse;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/inverse-problems.md.</summary>
public class InverseSnippets
{
    [Fact]
    public void A_blurred_picture_is_restored()
    {
        using var scope = NewDisposeScope();
        using var denoiser = new Denoisers.GaussianMixture(VariancePreserving.Linear(), ones(1), zeros(1, 1, 28, 28), ones(1) * 0.5f);
        var grid = TimeGrid.Uniform(denoiser.Process, 10, toData: true);
        var truth = randn(1, 1, 28, 28) * 0.5f;

        using var blur = new Blur(Blur.Gaussian(std: 1.5), height: 28, width: 28);
        var measurement = new Measurement(blur, blur.Measure(truth, sigma: 0.05), Sigma: 0.05);
        using var samples = new Ddnm(measurement).Sample(denoiser, [4, 1, 28, 28], grid, seed: 1);
        Console.WriteLine($"misfit {measurement.Misfit(samples).mean().item<float>():g3}");

        Assert.True((measurement.Misfit(samples) / 28).lt(0.1).all().item<bool>());
    }
}
