using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/samplers.md.</summary>
public class SamplersSnippets
{
    private static GaussianMixture Mixture(GaussianProcess process) =>
        new(process, tensor(new[] { 1f, 1f }), tensor(new[,] { { 1f, 0f }, { -1f, 0f } }), tensor(new[] { 0.1f, 0.1f }));

    [Fact]
    public void Steps_are_streamed()
    {
        using var scope = NewDisposeScope();
        using var denoiser = Mixture(VariancePreserving.Linear());

        var sampler = new PredictorCorrector(new ReverseDiffusion(), new LangevinCorrector(Snr: 0.16));
        var grid = TimeGrid.Uniform(denoiser.Process, steps: 50, toData: true);
        var noise = new SeededNoise(seed: 7);
        using var start = Sampler.Prior(denoiser.Process, [4, 2], noise);
        foreach (var step in sampler.Steps(denoiser, start, grid, Condition.None, noise))
            Console.WriteLine($"{step.Index + 1}/{step.Count} at time {step.Time:g3} after {step.Evaluations} evaluations");

        using var path = new BrownianNoise(seed: 7);
        using var coarse = new DpmPlusPlusSde().Run(denoiser, start, TimeGrid.Karras(denoiser.Process, 20), noise: path);
        using var fine = new DpmPlusPlusSde().Run(denoiser, start, TimeGrid.Karras(denoiser.Process, 80), noise: path);
        Assert.True((coarse - fine).isfinite().all().item<bool>());

        IDenoiser guided = denoiser.Guided(4).Thresholded(0.995);
        Assert.Same(denoiser.Process, guided.Process);
    }

    [Fact]
    public void The_likelihood_of_a_batch()
    {
        using var scope = NewDisposeScope();
        using var model = Mixture(VariancePreserving.Linear());
        using var x = tensor(new[,] { { 1f, 0.1f }, { -0.9f, 0f } });

        using var result = new Likelihood(Probes: 8).Evaluate(model, x);
        Tensor nats = result.LogLikelihood, error = result.StandardError!;
        Tensor bits = result.BitsPerDimension(levels: 256, range: 2); // dequantised 8-bit data in [−1, 1]

        Assert.True((nats - model.LogProbability(x, 1e-3)).abs().le(0.1 + 5 * error).all().item<bool>());
        Assert.True(bits.isfinite().all().item<bool>());
    }

    [Fact]
    public void Samplers_have_names()
    {
        var formulation = Langevin.Formulations.Formulation.Create(new() { Name = "edm" });

        var (named, times) = formulation.Sampling("dpm++2s", steps: 15, grid: "karras");
        SamplerRegistry.Register(new("ab2", "second-order Adams–Bashforth", SamplerKind.Ode, Order: 2, Evaluations: 1, (process, grid) => new AdamsBashforth()));

        Assert.Equal(new DpmPlusPlus2S(), named);
        Assert.Equal(15, times.Steps);
        Assert.IsType<AdamsBashforth>(formulation.Sampling("ab2").Sampler);
    }

    /// <summary>DDIM without its noise: x̂_0 and ε̂ put together again at s.</summary>
    sealed record Deterministic : Sampler
    {
        public override Step Begin(SamplingRun run) => (x, t, s) =>
        {
            var prediction = run.Denoise(x, t);
            return run.Process.Alpha(s) * prediction.X0 + run.Process.Sigma(s) * prediction.Epsilon;
        };
    }

    [Fact]
    public void A_sampler_of_ones_own_is_DDIM()
    {
        using var scope = NewDisposeScope();
        using var denoiser = Mixture(DiscreteProcess.FromBetas(Betas.Linear()));
        var grid = TimeGrid.Spaced((DiscreteProcess)denoiser.Process, 20);
        Assert.True(new Deterministic().Sample(denoiser, [8, 2], grid, seed: 1).allclose(new Ddim().Sample(denoiser, [8, 2], grid, seed: 1)));
    }
}
