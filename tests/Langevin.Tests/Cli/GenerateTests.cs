using Langevin.Data;
using Langevin.Hub;
using Langevin.Tests.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Cli;

/// <summary><c>langevin generate</c> on a tiny folder.</summary>
public class GenerateTests
{
    [Fact]
    public async Task Pictures_are_written_and_do_not_depend_on_the_batch()
    {
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model");
        TinyModels.StableDiffusion(model);
        string[] common = ["generate", "--model", model, "--prompt", "a cat", "--steps", "2", "--seed", "7", "-n", "3", "--sampler", "dpm++2m"];
        var one = await Command.Run([.. common, "--out", Path.Combine(folder.Path, "one")]);
        Assert.True(one.Code == 0, one.Error);
        Assert.Contains("3 pictures", one.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Command.Run([.. common, "--batch", "3", "--out", Path.Combine(folder.Path, "three")])).Code);
        for (int i = 0; i < 3; i++)
        {
            byte[] Read(string where) => File.ReadAllBytes(Path.Combine(folder.Path, where, $"picture-seed7-000{i}.png"));
            Assert.Equal(Read("one"), Read("three"));
        }
    }

    [Theory]
    [InlineData(new[] { "--prompt", "a prompt that is much too long" }, "10 fit")]
    [InlineData(new[] { "--prompt", "a", "--width", "17" }, "multiples of 4")]
    [InlineData(new[] { "--prompt", "a", "--sampler", "best" }, "dpm++2m")]
    [InlineData(new[] { "--prompt", "a", "--karras" }, "--sampler")]
    [InlineData(new[] { "--prompt", "a", "--steps", "0" }, "--steps")]
    public async Task Bad_requests_are_one_line_and_exit_code_2(string[] arguments, string message)
    {
        using var folder = new TempFolder();
        TinyModels.StableDiffusion(folder.Path);
        await Command.Refuses(["generate", "--model", folder.Path, .. arguments], message);
    }

    [Fact]
    public async Task Low_rank_changes_change_the_picture_by_their_weight()
    {
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model"), lora = folder["lora.safetensors"];
        TinyModels.StableDiffusion(model);
        SafeTensors.Save(lora, new Dictionary<string, Tensor>
        {
            ["lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"] = randn(2, 8), ["lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight"] = randn(8, 2) * 5,
            ["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight"] = randn(2, 8), ["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight"] = randn(16, 2) * 5,
        });
        async Task<byte[]> Picture(string name, params string[] more)
        {
            var result = await Command.Run(["generate", "--model", model, "--prompt", "a cat", "--steps", "2", "--out", Path.Combine(folder.Path, name), .. more]);
            Assert.True(result.Code == 0, result.Error);
            return File.ReadAllBytes(Path.Combine(folder.Path, name, "picture-seed0-0000.png"));
        }
        byte[] plain = await Picture("plain");
        Assert.Equal(plain, await Picture("nothing", "--lora", lora + "=0"));
        Assert.NotEqual(plain, await Picture("changed", "--lora", lora));
        await Picture("twice", "--lora", lora + "=0.5", "--lora", lora + "=0.5");
        Tensor Read(string name) => ImageFile.Load(Path.Combine(folder.Path, name, "picture-seed0-0000.png"));
        Assert.True((Read("changed") - Read("twice")).abs().max().item<float>() < 0.02); // two of 256 levels: sums are rounded in another order
        await Command.Refuses(["generate", "--model", model, "--prompt", "a", "--lora", lora + "=much"], "must be a number");
        await Command.Refuses(["generate", "--model", model, "--prompt", "a", "--lora", folder["none.safetensors"]], "none.safetensors");
    }

    [Fact]
    public async Task What_is_given_says_what_is_done()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model"), control = Path.Combine(folder.Path, "edges"), picture = folder["picture.png"], mask = folder["mask.png"], word = folder["word.safetensors"];
        TinyModels.StableDiffusion(model);
        TinyModels.Control(control);
        ImageGrid.Save(picture, rand(1, 3, 21, 18) * 2 - 1, 1, 0); // not of a size that fits
        var hole = -ones(1, 1, 20, 16);
        hole.narrow(2, 4, 8).fill_(1);
        ImageGrid.Save(mask, hole, 1, 0);
        SafeTensors.Save(word, new Dictionary<string, Tensor> { ["<w>"] = randn(2, 8) });
        async Task<Tensor> Picture(params string[] more)
        {
            string target = Path.Combine(folder.Path, Guid.NewGuid().ToString("n"));
            var result = await Command.Run(["generate", "--model", model, "--steps", "4", "--seed", "3", "--out", target, .. more]);
            Assert.True(result.Code == 0, result.Error);
            Assert.Contains("of weights in memory at once", result.Error, StringComparison.Ordinal);
            return ImageFile.Load(Path.Combine(target, "picture-seed3-0000.png"));
        }
        double Apart(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
        var plain = await Picture("--prompt", "a cat", "--width", "16", "--height", "20");
        var after = await Picture("--prompt", "a cat", "--in", picture, "--strength", "0.5");
        Assert.Equal([3, 20, 16], after.shape);
        Assert.True(Apart(plain, after) > 0.02);
        var filled = await Picture("--prompt", "a cat", "--in", picture, "--mask", mask, "--strength", "1");
        var cut = ImageFile.Load(picture).narrow(1, 0, 20).narrow(2, 1, 16);
        Assert.True(Apart(filled.narrow(1, 13, 7), cut.narrow(1, 13, 7)) < 0.01);
        Assert.True(Apart(filled.narrow(1, 5, 6), cut.narrow(1, 5, 6)) > 0.02);
        Assert.True(Apart(await Picture("--prompt", "a cat", "--control", $"{control}={picture}"), plain) > 0.01);
        Assert.True(Apart(await Picture("--prompt", "<w>", "--embedding", word, "--width", "16", "--height", "20"), await Picture("--prompt", "<w>", "--width", "16", "--height", "20")) > 0.005);
        var half = await Picture("--prompt", "a cat", "--half", "--width", "16", "--height", "20");
        Assert.True(Apart(half, await Picture("--prompt", "(a cat:1)", "--weighted", "--half", "--sequential", "--tile", "128", "--width", "16", "--height", "20")) < 0.01);
        await Command.Refuses(["generate", "--model", model, "--prompt", "a", "--mask", mask], "--mask goes with --in");
        await Command.Refuses(["generate", "--model", model], "--prompt");
        await Command.Refuses(["generate", "--model", model, "--prompt", "a", "--class", "1"], "models of classes");
        await Command.Refuses(["generate", "--model", model, "--prompt", "a", "--control", control], "FOLDER=PICTURE");
        await Command.Refuses(["generate", "--model", "some/model", "--prompt", "a"], "langevin models get some/model");
    }

    [Fact]
    public async Task Classes_and_refiners()
    {
        using var folder = new TempFolder();
        string dit = Path.Combine(folder.Path, "dit"), xl = Path.Combine(folder.Path, "xl"), refiner = Path.Combine(folder.Path, "refiner");
        TinyModels.Unprompted(dit, "dit");
        TinyModels.StableDiffusion(xl, TinyModels.Kind.Xl);
        TinyModels.StableDiffusion(refiner, TinyModels.Kind.Refiner);
        var done = await Command.Run(["generate", "--model", dit, "--class", "goldfish", "--guidance", "4", "--steps", "2", "-n", "2", "--json", "--out", Path.Combine(folder.Path, "a")]);
        Assert.True(done.Code == 0, done.Error);
        Assert.Contains("picture-seed0-0001.png", done.Output, StringComparison.Ordinal);
        await Command.Refuses(["generate", "--model", dit, "--class", "goldfsh"], "goldfish");
        await Command.Refuses(["generate", "--model", dit, "--prompt", "a"], "--prompt is for models that read prompts");
        done = await Command.Run(["generate", "--model", xl, "--refiner", refiner, "--refine-from", "0.5", "--prompt", "a cat", "--steps", "4", "--out", Path.Combine(folder.Path, "b")]);
        Assert.True(done.Code == 0, done.Error);
    }
}
