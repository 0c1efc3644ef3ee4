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
}
