using Langevin.Formulations;
using Langevin.Hub;
using Langevin.Hub.Onnx;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using Langevin.Samplers;
using Langevin.Tests.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/hub.md.</summary>
public class HubSnippets
{
    [Fact]
    public void A_picture_after_a_picture_with_a_learnt_word()
    {
        using var scope = NewDisposeScope();
        using var temporary = new TempFolder();
        string folder = Path.Combine(temporary.Path, "model"), wordFile = temporary["frida.safetensors"];
        TinyModels.StableDiffusion(folder);
        SafeTensors.Save(wordFile, new Dictionary<string, Tensor> { ["<frida>"] = randn(2, 8) });
        var sketch = zeros(1, 3, 16, 16);

        using var model = TextToImage.Load(folder, new() { Type = ScalarType.Float16, Sequential = true });
        model.Scheduler = model.Scheduler.Under("dpm++2m", karras: true);
        using var word = TextualInversion.Load(wordFile, "<frida>");
        model.Add(word);
        Tensor pictures = model.Generate(new()
        {
            Prompts = ["(a cat:1.3) in the style of <frida>"], Negative = "blurry", Reading = new(Weighted: true, Chunks: true),
            Picture = sketch, Strength = 0.7, Steps = 12, Seed = 7,
        });
        Assert.Equal([1, 3, 16, 16], pictures.shape);
        Assert.True(pictures.isfinite().all().item<bool>());
    }

    [Fact]
    public void A_network_goes_to_the_runtime_and_is_sampled()
    {
        using var scope = NewDisposeScope();
        using var temporary = new TempFolder();
        string file = temporary["network.onnx"];
        var options = new FormulationOptions { Name = "ddpm" };
        using var trained = new DiffusionModel(new ResidualMlp(new()), Formulation.Create(options), new() { Formulation = options, Data = "toy", ItemShape = [2] });

        OnnxExport.Save(trained.Network, file, OnnxWeights.Half);
        using var network = new OnnxNetwork(file);
        var denoiser = trained.Formulation.Denoiser(network);
        Tensor samples = new Ddim().Sample(denoiser, [16, 2], TimeGrid.Uniform(denoiser.Process, 10), seed: 1);
        Assert.Equal([16, 2], samples.shape);
    }
}
