using System.Text.Json;
using Langevin.Hub;
using Langevin.Networks;
using Langevin.Tests.Cli;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Checkpoints in one file, and weights in other formats and precisions.</summary>
public class ConversionTests
{
    // ldm_names.json: every name of the U-Net (686) and of the autoencoder (248) that CompVis' code builds for Stable Diffusion 1, with what
    // diffusers' own conversion makes of it, told by the values of the tensors it was given.
    [Fact]
    public void Names_are_those_that_diffusers_makes_of_CompVis()
    {
        using var names = JsonDocument.Parse(File.ReadAllText(Shared.Own("Hub", "ldm_names.json")));
        (string Old, string New)[] Pairs(string part) => [.. names.RootElement.GetProperty(part).EnumerateObject().Select(p => (p.Name, p.Value.GetString()!))];
        var (unet, autoencoder) = (Pairs("unet"), Pairs("autoencoder"));
        Assert.Equal((686, 248), (unet.Length, autoencoder.Length));
        Assert.All(unet, p => Assert.Equal(p.New, LdmKeys.UNet(p.Old, 2)));
        Assert.All(autoencoder, p => Assert.Equal(p.New, LdmKeys.Autoencoder(p.Old, 4)));
        Assert.Equal("add_embedding.linear_2.bias", LdmKeys.UNet("label_emb.0.2.bias", 2)); // XL's
    }

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
