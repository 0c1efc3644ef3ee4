using Langevin.Hub;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Low-rank changes of weights.</summary>
public class LoraTests
{
    private static readonly UNet2DConditionConfig Shape = new()
    {
        BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, CrossAttentionDim = 6, AttentionHeadDim = [2],
        DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
    };

    private const string Query = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", Out = "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0";
    private const string Conv = "down_blocks.0.resnets.0.conv1";

    // The same change under each naming.
    public static TheoryData<string> Namings => ["kohya", "ldm", "diffusers", "processor", "peft"];

    private static string Save(TempFolder folder, string naming, double? alpha)
    {
        manual_seed(4);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (layer, inputs, outputs) in new[] { (Query, 8, 8), (Out, 16, 16) })
        {
            var (down, up) = naming switch
            {
                "kohya" => ($"lora_unet_{layer.Replace('.', '_')}.lora_down", $"lora_unet_{layer.Replace('.', '_')}.lora_up"),
                "ldm" => ($"lora_unet_{Counted(layer)}.lora_down", $"lora_unet_{Counted(layer)}.lora_up"),
                "processor" => ("unet." + Processor(layer) + "_lora.down", "unet." + Processor(layer) + "_lora.up"),
                "peft" => ($"unet.{layer}.lora_A", $"unet.{layer}.lora_B"),
                _ => ($"unet.{layer}.lora.down", $"unet.{layer}.lora.up"),
            };
            tensors[down + ".weight"] = randn(2, inputs);
            tensors[up + ".weight"] = randn(outputs, 2);
            if (alpha is { } a) tensors[$"lora_unet_{layer.Replace('.', '_')}.alpha"] = tensor(a);
        }
        string path = folder["lora.safetensors"];
        SafeTensors.Save(path, tensors);
        return path;
    }

    // As latent diffusion's own code counts blocks.
    private static string Counted(string layer) => layer.Replace('.', '_').Replace("down_blocks_0_attentions_0", "input_blocks_1_1", StringComparison.Ordinal).Replace("mid_block_attentions_0", "middle_block_1", StringComparison.Ordinal);

    private static string Processor(string layer) => layer.Replace("attn1.", "attn1.processor.", StringComparison.Ordinal).Replace("attn2.", "attn2.processor.", StringComparison.Ordinal).Replace("to_out.0", "to_out", StringComparison.Ordinal);

    [Theory, MemberData(nameof(Namings))]
    public void The_product_is_added_and_taken_back_to_the_bit(string naming)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var unet = new UNet2DCondition(Shape);
        double? alpha = naming == "kohya" ? 1 : null;
        string path = Save(folder, naming, alpha);
        using var lora = LoraWeights.Load(path);
        Assert.Equal(2, lora.Count);
        Assert.Equal(["unet"], lora.Parts);
        var file = SafeTensors.Load(path).Values.Where(t => t.dim() == 2).ToArray();
        var before = unet.state_dict().ToDictionary(p => p.Key, p => p.Value.detach().clone());
        using (lora.Apply(unet, "unet", 0.5))
        {
            var after = unet.state_dict();
            foreach (string layer in (string[])[Query, Out])
            {
                long width = before[layer + ".weight"].size(0);
                var (down, up) = (file.First(t => t.size(0) == 2 && t.size(1) == width), file.First(t => t.size(1) == 2 && t.size(0) == width));
                var expected = before[layer + ".weight"] + 0.5 * (alpha ?? 2) / 2 * up.mm(down);
                Assert.True((after[layer + ".weight"] - expected).abs().max().item<float>() < 1e-6, layer);
            }
            Assert.Equal(0, (after[Conv + ".weight"] - before[Conv + ".weight"]).abs().max().item<float>());
            using var again = lora.Apply(unet, "unet", 1);
        }
        foreach (var (key, value) in unet.state_dict()) Assert.True(value.eq(before[key]).all().item<bool>(), key);
    }

    [Fact]
    public void Convolutions_are_changed_too()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        using var unet = new UNet2DCondition(Shape);
        var (down, up) = (randn(3, 8, 3, 3), randn(8, 3, 1, 1));
        string path = folder["conv.safetensors"];
        SafeTensors.Save(path, new Dictionary<string, Tensor> { [$"unet.{Conv}.lora.down.weight"] = down, [$"unet.{Conv}.lora.up.weight"] = up });
        using var lora = LoraWeights.Load(path);
        var x = randn(1, 8, 6, 6);
        var weight = unet.state_dict()[Conv + ".weight"];
        var before = nn.functional.conv2d(x, weight, padding: [1, 1]);
        using var _ = lora.Apply(unet, "unet");
        // Two small convolutions after each other beside the large one.
        var expected = before + nn.functional.conv2d(nn.functional.conv2d(x, down, padding: [1, 1]), up);
        Assert.True((nn.functional.conv2d(x, weight, padding: [1, 1]) - expected).abs().max().item<float>() < 1e-3);
    }

    [Fact]
    public void A_published_file_finds_every_layer_of_Stable_Diffusion_1_5()
    {
        string path = Shared.Data("weights/formats/sd_lora/pytorch_lora_weights.safetensors");
        using var scope = NewDisposeScope();
        using var lora = LoraWeights.Load(path);
        Assert.Equal(128, lora.Count);
        set_default_device(META);
        try
        {
            using var unet = new UNet2DCondition(new() { CrossAttentionDim = 768 });
            lora.Check(unet, "unet");
            using var other = new UNet2DCondition(new() { CrossAttentionDim = 1024 });
            Assert.Contains("another unet", Assert.Throws<InvalidDataException>(() => lora.Check(other, "unet")).Message, StringComparison.Ordinal);
        }
        finally
        {
            set_default_device(CPU);
        }
    }

    [Theory]
    [InlineData("unet.mid_block.x.lora.down.weight", "only one of its two factors")]
    [InlineData("mid_block.x.bias", "no part of a low-rank change")]
    [InlineData("elsewhere.x.lora.down.weight", "only one")]
    public void What_is_not_understood_is_named(string key, string message)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string path = folder["bad.safetensors"];
        SafeTensors.Save(path, new Dictionary<string, Tensor> { [key] = randn(2, 4) });
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => LoraWeights.Load(path)).Message, StringComparison.Ordinal);
    }
}
