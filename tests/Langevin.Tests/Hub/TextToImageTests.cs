using System.Text.Json.Nodes;
using Langevin.Hub;
using Langevin.Hub.Schedulers;
using Langevin.Networks;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Pictures from prompts by folders in the diffusers layout.</summary>
public class TextToImageTests
{
    private static TextToImageRequest Ask(params string[] prompts) => new() { Prompts = prompts, Steps = 3, Seed = 5 };

    [Theory, InlineData(false), InlineData(true)]
    public void A_picture_depends_on_its_prompt_and_seed_and_not_on_the_batch(bool xl)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path, xl);
        using var model = TextToImage.Load(folder.Path);
        var shares = new List<double>();
        var one = model.Generate(Ask("a cat"), shares.Add);
        Assert.Equal([1, 3, 16, 16], one.shape);
        Assert.Equal(3, shares.Count);
        Assert.Equal(1, shares[^1]);
        Assert.True(one.isfinite().all().item<bool>() && one.abs().max().item<float>() <= 1);
        var four = model.Generate(Ask("a cat", "a dog", "a cat", "a cat"));
        Assert.True((four[0] - one[0]).abs().max().item<float>() < 1e-5);
        Assert.True((four[2] - one[0]).abs().max().item<float>() > 1e-3);
        Assert.True((model.Generate(Ask("a cat", "a cat") with { First = 2 })[1] - four[3]).abs().max().item<float>() < 1e-5);
        double Change(TextToImageRequest other) => (model.Generate(other) - one).abs().max().item<float>();
        Assert.True(Change(Ask("a dog")) > 1e-6);
        Assert.True(Change(Ask("a cat") with { Seed = 6 }) > 1e-3);
        Assert.True(Change(Ask("a cat") with { Negative = "a dog" }) > 1e-6);
        Assert.True(Change(Ask("a cat") with { Guidance = 1 }) > 1e-6);
        Assert.True(Change(Ask("a cat") with { Reading = new(ClipSkip: 1) }) > 1e-6);
        Assert.Equal([1, 3, 24, 16], model.Generate(Ask("a cat") with { Height = 24, Width = 16 }).shape);
    }

    // DDIM and guidance written out, step by step, with the parts of the folder.
    [Fact]
    public void It_is_the_sampling_that_the_papers_write_down()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var model = TextToImage.Load(folder.Path);
        const int steps = 4, stride = 1000 / steps;
        const double w = 3;
        double[] kept = new double[1000];
        for (int t = 0; t < 1000; t++) kept[t] = (t == 0 ? 1 : kept[t - 1]) * (1 - Math.Pow(Math.Sqrt(0.00085) + (Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * t / 999, 2));
        var tokenizer = ClipTokenizer.FromFolder(Path.Combine(folder.Path, "tokenizer"));
        var text = new ClipText(ClipTextConfig.Parse(File.ReadAllText(Path.Combine(folder.Path, "text_encoder", "config.json"))));
        ModelFolder.Open(folder.Path).Load(text, "text_encoder");
        Condition Of(string prompt) => Condition.None.With(UNet2DCondition.ContextSlot, text.Encode(tokenizer.Encode([prompt])).Last);
        var (wanted, not) = (Of("a cat"), Of("blue"));
        var x = new SeededNoise(5).Next(empty(1, 4, 8, 8));
        for (int i = steps - 1; i >= 0; i--)
        {
            int t = i * stride + 1;
            var level = tensor(new[] { (float)t });
            var (c, u) = (model.UNet.call(x, level, wanted), model.UNet.call(x, level, not));
            var epsilon = u + w * (c - u);
            double now = kept[t], next = t - stride >= 0 ? kept[t - stride] : kept[0];
            var clean = (x - Math.Sqrt(1 - now) * epsilon) / Math.Sqrt(now);
            x = Math.Sqrt(next) * clean + Math.Sqrt(1 - next) * epsilon;
        }
        var expected = model.Decode(x);
        var actual = model.Generate(Ask("a cat") with { Steps = steps, Guidance = w, Negative = "blue" });
        Assert.True((expected - actual).abs().max().item<float>() < 1e-4, $"off by {(expected - actual).abs().max().item<float>()}");
    }

    [Fact]
    public void Every_sampler_goes_where_the_models_own_goes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var model = TextToImage.Load(folder.Path);
        var own = model.Scheduler;
        var request = Ask("a cat") with { Steps = 30 };
        var expected = model.Generate(request);
        foreach (string name in SamplerChoice.Names)
        {
            model.Scheduler = own.Under(name);
            // Those without noise solve one differential equation, from noise that is scaled alike.
            bool solves = name is "ddim" or "pndm" or "deis" or "unipc" or "dpm++2m" or "dpm++2s";
            var actual = model.Generate(solves ? request : request with { Steps = 4 });
            Assert.True(actual.isfinite().all().item<bool>(), name);
            if (solves) Assert.True((actual - expected).abs().mean().item<float>() < 0.03, $"{name}: off by {(actual - expected).abs().mean().item<float>()}");
        }
        Assert.Contains("dpm++2m", Assert.Throws<ArgumentException>(() => own.Under("dpm++3m")).Message, StringComparison.Ordinal);
        Assert.Contains("Karras", Assert.Throws<InvalidDataException>(() => own.Under("ddim", karras: true)).Message, StringComparison.Ordinal);
        model.Scheduler = own.Under("dpm++2m", karras: true);
        Assert.True((model.Generate(request) - expected).abs().mean().item<float>() < 0.05);
    }

    [Fact]
    public void Long_prompts_are_refused_or_read_in_stretches()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var model = TextToImage.Load(folder.Path);
        const string text = "a very long prompt";
        Assert.Contains("10 fit", Assert.Throws<ArgumentException>(() => model.Generate(Ask(text))).Message, StringComparison.Ordinal);
        var whole = model.Generate(Ask(text) with { Reading = new(Chunks: true) });
        Assert.True((whole - model.Generate(Ask("a very lon") with { Reading = new(Chunks: true) })).abs().max().item<float>() > 1e-6);
        Assert.Contains("multiples of 4", Assert.Throws<ArgumentException>(() => model.Generate(Ask("a") with { Width = 18 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(Ask("a") with { Reading = new(ClipSkip: 3) }));
    }

    [Fact]
    public void What_a_folder_lacks_is_named()
    {
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        File.Delete(Path.Combine(folder.Path, "vae", "diffusion_pytorch_model.safetensors"));
        Assert.Contains("holds no weights", Assert.Throws<InvalidDataException>(() => TextToImage.Load(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => TextToImage.Load(Path.Combine(folder.Path, "elsewhere")));
        File.WriteAllText(Path.Combine(folder.Path, "model_index.json"), """{ "_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"] }""");
        Assert.Contains("without a part 'vae'", Assert.Throws<InvalidDataException>(() => TextToImage.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder.Path, "model_index.json"), "[]");
        Assert.Contains("no JSON object", Assert.Throws<InvalidDataException>(() => TextToImage.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_in_shards_are_joined_and_shards_from_elsewhere_refused()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        using var before = TextToImage.Load(folder.Path);
        string unet = Path.Combine(folder.Path, "unet"), file = Path.Combine(unet, "diffusion_pytorch_model.safetensors");
        var weights = SafeTensors.Load(file).OrderBy(p => p.Key, StringComparer.Ordinal).ToArray();
        var map = new JsonObject();
        for (int shard = 0; shard < 2; shard++)
        {
            var part = weights.Where((_, i) => i % 2 == shard).ToArray();
            string name = $"diffusion_pytorch_model-0000{shard + 1}-of-00002.safetensors";
            SafeTensors.Save(Path.Combine(unet, name), part);
            foreach (var (key, _) in part) map[key] = name;
        }
        File.Delete(file);
        void Index(JsonObject to) => File.WriteAllText(file + ".index.json", new JsonObject { ["weight_map"] = to }.ToJsonString());
        Index((JsonObject)map.DeepClone());
        using var after = TextToImage.Load(folder.Path);
        Assert.Equal(0, (before.Generate(Ask("a cat")) - after.Generate(Ask("a cat"))).abs().max().item<float>());
        map[weights[0].Key] = "../vae/diffusion_pytorch_model.safetensors";
        Index(map);
        Assert.Contains("not a file of its own folder", Assert.Throws<InvalidDataException>(() => TextToImage.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_of_a_published_folder_of_an_old_version_are_read()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var folder = ModelFolder.Open(Shared.Data("weights/formats/tiny_sd_pipeline"));
        using var prompts = PromptEncoder.Load(folder);
        Assert.Equal([2, 77, 32], prompts.Encode(["a cat", "a dog"])[UNet2DCondition.ContextSlot]!.shape);
        using var autoencoder = new AutoencoderKL(AutoencoderKLConfig.Parse(folder.Config("vae")));
        folder.Load(autoencoder, "vae", DiffusersKeys.Modern);
        Assert.True(autoencoder.Decode(zeros(1, 4, 4, 4)).isfinite().all().item<bool>());
        Assert.Contains("no weights", Assert.Throws<InvalidDataException>(() => folder.WeightFile("unet")).Message, StringComparison.Ordinal);
    }
}
