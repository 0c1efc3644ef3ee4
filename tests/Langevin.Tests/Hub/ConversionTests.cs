using Langevin.Hub;
using Langevin.Networks;
using Langevin.Tests.Cli;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Checkpoints in one file, and weights in other formats and precisions.</summary>
public class ConversionTests
{
    // Names of Stable Diffusion 1.5's checkpoint with those that its converted folder has, as both are published.
    [Theory]
    [InlineData("time_embed.0.weight", "time_embedding.linear_1.weight")]
    [InlineData("input_blocks.0.0.bias", "conv_in.bias")]
    [InlineData("input_blocks.1.0.in_layers.2.weight", "down_blocks.0.resnets.0.conv1.weight")]
    [InlineData("input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight", "down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_k.weight")]
    [InlineData("input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight")]
    [InlineData("input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight")]
    [InlineData("input_blocks.11.0.out_layers.3.bias", "down_blocks.3.resnets.1.conv2.bias")]
    [InlineData("middle_block.0.emb_layers.1.weight", "mid_block.resnets.0.time_emb_proj.weight")]
    [InlineData("middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight")]
    [InlineData("middle_block.2.out_layers.0.weight", "mid_block.resnets.1.norm2.weight")]
    [InlineData("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight")]
    [InlineData("output_blocks.5.2.conv.bias", "up_blocks.1.upsamplers.0.conv.bias")]
    [InlineData("output_blocks.5.1.norm.weight", "up_blocks.1.attentions.2.norm.weight")]
    [InlineData("output_blocks.11.0.in_layers.0.weight", "up_blocks.3.resnets.2.norm1.weight")]
    [InlineData("out.2.weight", "conv_out.weight")]
    [InlineData("label_emb.0.2.bias", "add_embedding.linear_2.bias")]
    public void A_unets_names_are_those_of_the_published_pair(string old, string current) => Assert.Equal(current, LdmKeys.UNet(old, 2));

    [Theory]
    [InlineData("encoder.down.2.block.1.nin_shortcut.weight", "encoder.down_blocks.2.resnets.1.conv_shortcut.weight")]
    [InlineData("encoder.down.0.downsample.conv.bias", "encoder.down_blocks.0.downsamplers.0.conv.bias")]
    [InlineData("decoder.up.3.block.0.norm1.weight", "decoder.up_blocks.0.resnets.0.norm1.weight")]
    [InlineData("decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight")]
    [InlineData("decoder.mid.block_2.conv1.weight", "decoder.mid_block.resnets.1.conv1.weight")]
    [InlineData("encoder.mid.attn_1.q.weight", "encoder.mid_block.attentions.0.to_q.weight")]
    [InlineData("encoder.mid.attn_1.norm.bias", "encoder.mid_block.attentions.0.group_norm.bias")]
    [InlineData("decoder.mid.attn_1.proj_out.weight", "decoder.mid_block.attentions.0.to_out.0.weight")]
    [InlineData("decoder.norm_out.weight", "decoder.conv_norm_out.weight")]
    [InlineData("post_quant_conv.weight", "post_quant_conv.weight")]
    public void An_autoencoders_names_are_those_of_the_published_pair(string old, string current) => Assert.Equal(current, LdmKeys.Autoencoder(old, 4));

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_checkpoint_in_one_file_becomes_a_folder_that_makes_the_same_pictures(bool xl)
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model"), file = folder["all.safetensors"], back = Path.Combine(folder.Path, "back");
        TinyModels.StableDiffusion(model, xl ? TinyModels.Kind.Refiner : TinyModels.Kind.Plain, wide: true);
        SafeTensors.Save(file, OneFile(model, xl));
        var result = await Command.Run(["convert", file, back, "--tokenizer", Path.Combine(model, xl ? "tokenizer_2" : "tokenizer")]);
        Assert.True(result.Code == 0, result.Error);
        using var before = TextToImage.Load(model);
        using var after = TextToImage.Load(back);
        after.Scheduler = before.Scheduler;
        var request = new TextToImageRequest { Prompts = ["a cat"], Steps = 3, Seed = 4, Height = 16, Width = 16 };
        if (xl) request = request with { Picture = zeros(1, 3, 16, 16) };
        Assert.Equal(before.UNet.state_dict().Keys.Order(StringComparer.Ordinal), after.UNet.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(0, (before.Generate(request) - after.Generate(request)).abs().max().item<float>());
        await Command.Refuses(["convert", file, back], "--tokenizer");
        SafeTensors.Save(file, new Dictionary<string, Tensor> { ["a"] = ones(1) });
        await Command.Refuses(["convert", file, back, "--tokenizer", Path.Combine(model, xl ? "tokenizer_2" : "tokenizer")], "no checkpoint of Stable Diffusion");
    }

    [Fact]
    public async Task Files_and_folders_change_their_precision()
    {
        using var scope = NewDisposeScope();
        using var folder = new TempFolder();
        string model = Path.Combine(folder.Path, "model"), half = Path.Combine(folder.Path, "half");
        TinyModels.StableDiffusion(model);
        Assert.Equal(0, (await Command.Run(["convert", model, half, "--type", "float16"])).Code);
        var shown = await Command.Run(["models", "show", half]);
        Assert.True(shown.Code == 0, shown.Error);
        Assert.Contains("F16", shown.Output, StringComparison.Ordinal);
        Assert.Contains("--sequential", shown.Output, StringComparison.Ordinal);
        using var one = TextToImage.Load(model);
        using var other = TextToImage.Load(half);
        var request = new TextToImageRequest { Prompts = ["a cat"], Steps = 3 };
        Assert.True((one.Generate(request) - other.Generate(request)).abs().max().item<float>() < 0.05);
        await Command.Refuses(["convert", model, Path.Combine(model, "inside")], "neither may lie in the other");
        // A published pickle.
        string target = folder["word.safetensors"];
        Assert.Equal(0, (await Command.Run(["convert", Shared.Data("weights/formats/textual_inversion/learned_embeds_1.bin"), target, "--type", "bfloat16"])).Code);
        Assert.Equal(ScalarType.BFloat16, Assert.Single(SafeTensors.Load(target)).Value.dtype);
    }

    // The names of latent diffusion's own code, from those of diffusers: the table turned round, key by key.
    private static Dictionary<string, Tensor> OneFile(string model, bool xl)
    {
        var all = new Dictionary<string, Tensor>();
        var unet = SafeTensors.Load(Path.Combine(model, "unet", "diffusion_pytorch_model.safetensors"));
        foreach (var (old, current) in Candidates().Select(k => (k, LdmKeys.UNet(k, 1))).Where(p => p.Item2 is not null && unet.ContainsKey(p.Item2)).DistinctBy(p => p.Item2)) all["model.diffusion_model." + old] = unet[current!];
        Assert.Equal(unet.Count, all.Count);
        int before = all.Count;
        var vae = SafeTensors.Load(Path.Combine(model, "vae", "diffusion_pytorch_model.safetensors"));
        foreach (var (old, current) in CodecCandidates().Select(k => (k, LdmKeys.Autoencoder(k, 2))).Where(p => vae.ContainsKey(p.Item2)).DistinctBy(p => p.Item2))
            all["first_stage_model." + old] = old.Contains("attn_1", StringComparison.Ordinal) && vae[current].dim() == 2 ? vae[current].unsqueeze(2).unsqueeze(3) : vae[current];
        Assert.Equal(vae.Count, all.Count - before);
        string part = xl ? "text_encoder_2" : "text_encoder", prefix = xl ? "conditioner.embedders.0.model." : "cond_stage_model.transformer.";
        foreach (var (key, value) in SafeTensors.Load(Path.Combine(model, part, "model.safetensors")))
            if (!xl) all[prefix + key] = value;
        if (xl) foreach (var (key, value) in Original(SafeTensors.Load(Path.Combine(model, part, "model.safetensors")))) all[prefix + key] = value;
        return all;
    }

    // CLIP's text model by its authors' names.
    private static IEnumerable<KeyValuePair<string, Tensor>> Original(IReadOnlyDictionary<string, Tensor> weights)
    {
        Tensor Of(string key) => weights[key];
        yield return new("token_embedding.weight", Of("text_model.embeddings.token_embedding.weight"));
        yield return new("positional_embedding", Of("text_model.embeddings.position_embedding.weight"));
        yield return new("text_projection", Of("text_projection.weight").t());
        foreach (string kind in (string[])["weight", "bias"])
        {
            yield return new("ln_final." + kind, Of("text_model.final_layer_norm." + kind));
            for (int i = 0; i < 3; i++)
            {
                string from = $"text_model.encoder.layers.{i}.", to = $"transformer.resblocks.{i}.";
                yield return new($"{to}attn.in_proj_{kind}", cat([.. "qkv".Select(l => Of($"{from}self_attn.{l}_proj.{kind}"))]));
                yield return new($"{to}attn.out_proj.{kind}", Of($"{from}self_attn.out_proj.{kind}"));
                yield return new($"{to}ln_1.{kind}", Of($"{from}layer_norm1.{kind}"));
                yield return new($"{to}ln_2.{kind}", Of($"{from}layer_norm2.{kind}"));
                yield return new($"{to}mlp.c_fc.{kind}", Of($"{from}mlp.fc1.{kind}"));
                yield return new($"{to}mlp.c_proj.{kind}", Of($"{from}mlp.fc2.{kind}"));
            }
        }
    }

    private static IEnumerable<string> Candidates()
    {
        string[] resnet = ["in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection"];
        string[] block = ["norm1", "norm2", "norm3", "attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2"];
        string[] attention = ["norm", "proj_in", "proj_out", .. block.Select(b => "transformer_blocks.0." + b)];
        string[] plain = ["time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2", "out.0", "out.2", "input_blocks.0.0"];
        var blocks = from i in Enumerable.Range(0, 4)
                     from way in (string[])["input_blocks", "output_blocks"]
                     from rest in (string[])[.. resnet.Select(r => "0." + r), .. attention.Select(a => "1." + a), "0.op", "1.conv", "2.conv"]
                     where (way == "output_blocks" || i > 0) && (rest != "0.op" || i == 2) && (!rest.EndsWith("conv", StringComparison.Ordinal) || (way == "output_blocks" && i == 1))
                     select $"{way}.{i}.{rest}";
        var middle = from p in (string[])[.. resnet.Select(r => "0." + r), .. attention.Select(a => "1." + a), .. resnet.Select(r => "2." + r)] select "middle_block." + p;
        return plain.Concat(blocks).Concat(middle).SelectMany(k => (string[])[k + ".weight", k + ".bias"]);
    }

    private static IEnumerable<string> CodecCandidates()
    {
        string[] resnet = ["norm1", "conv1", "norm2", "conv2", "nin_shortcut"], middle = [.. resnet.Select(r => "block_1." + r), .. resnet.Select(r => "block_2." + r), "attn_1.norm", "attn_1.q", "attn_1.k", "attn_1.v", "attn_1.proj_out"];
        var all = from side in (string[])["encoder", "decoder"]
                  from rest in (string[])["conv_in", "norm_out", "conv_out", .. middle.Select(m => "mid." + m), .. from i in Enumerable.Range(0, 2) from way in (string[])["down", "up"] from what in (string[])[.. from b in Enumerable.Range(0, 3) from r in resnet select $"block.{b}.{r}", "downsample.conv", "upsample.conv"] select $"{way}.{i}.{what}"]
                  select $"{side}.{rest}";
        return all.Concat(["quant_conv", "post_quant_conv"]).SelectMany(k => (string[])[k + ".weight", k + ".bias"]);
    }
}
