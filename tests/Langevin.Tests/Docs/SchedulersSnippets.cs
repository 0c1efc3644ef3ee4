using Langevin.Denoisers;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/schedulers.md.</summary>
public class SchedulersSnippets
{
    private const string Json = """
        {"_class_name": "DPMSolverMultistepScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "use_karras_sigmas": true}
        """;

    [Fact]
    public void A_configuration_becomes_a_composition()
    {
        using var scope = NewDisposeScope();
        using var network = new UNet2D(new() { SampleSize = [8, 8], BlockOutChannels = [8, 8], DownBlockTypes = ["DownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "UpBlock2D"], LayersPerBlock = 1, NormNumGroups = 4, InChannels = 3, OutChannels = 3 });
        string folder = Directory.CreateTempSubdirectory().FullName;
        string path = Path.Combine(folder, "scheduler_config.json");
        File.WriteAllText(path, Json);

        var scheduler = DiffusersScheduler.Parse(File.ReadAllText(path));
        var composition = scheduler.Compose(5); // five steps
        IDenoiser denoiser = composition.Denoiser(network);
        using Tensor images = composition.Sample(denoiser, [2, 3, 8, 8], seed: 7);
        File.WriteAllText(path, scheduler.ToJson()); // as it was

        Assert.Equal([2, 3, 8, 8], images.shape);
        Assert.Equal(new DpmMultistep(2) { LowersOrderAtEnd = true, EndsInEuler = true }, composition.Sampler);
        Assert.Equal("DPMSolverMultistepScheduler", scheduler.ClassName);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_pipeline_asks_for_more_than_a_number_of_steps()
    {
        var scheduler = DiffusersScheduler.Parse("""{"_class_name": "DDIMScheduler"}""");

        var half = scheduler.Compose(new SchedulerRequest { Steps = 50, First = 25, Eta = 0.5 }); // image to image, stochastic

        Assert.Equal(25, half.Grid.Steps);
    }

    [Fact]
    public void A_sample_is_inverted_exactly()
    {
        using var scope = NewDisposeScope();
        var process = VariancePreserving.Linear();
        using var denoiser = new GaussianMixture(process, tensor(new[] { 1.0, 1 }), tensor(new[,] { { 1.0, 0 }, { -1, 0 } }), tensor(new[] { 0.1, 0.1 }));
        var grid = TimeGrid.Uniform(process, 50);
        using var start = Sampler.Prior(process, [4, 2], new SeededNoise(1), dtype: ScalarType.Float64);

        var sampler = new Bdia();
        List<Tensor> states = [.. sampler.Steps(denoiser, start, grid).Select(step => step.X.clone())];
        Tensor again = sampler.Invert(denoiser, states[^1], states[^2], grid); // equals start

        Assert.True(again.allclose(start, 1e-6, 1e-6));

        var (sample, batches) = new PicardSampler(Window: 16, Tolerance: 1e-3).Run(denoiser, start, grid);

        Assert.True(batches < 50 && sample.isfinite().all().item<bool>());
    }
}
