using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Hub;

/// <summary>Models of random weights in the diffusers layout, small enough to run in a test.</summary>
internal static class TinyModels
{
    public const string Ddim = """
        { "_class_name": "DDIMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
          "set_alpha_to_one": false, "steps_offset": 1, "prediction_type": "epsilon" }
        """;

    /// <summary>Stable Diffusion in small: pictures of 16 × 16, codes of 8 × 8.</summary>
    public static void StableDiffusion(string folder, bool xl = false)
    {
        manual_seed(11);
        var text = new ClipTextConfig { VocabSize = 514, HiddenSize = 8, IntermediateSize = 16, ProjectionDim = 6, NumHiddenLayers = 3, NumAttentionHeads = 2, MaxPositionEmbeddings = 12, EosTokenId = 513 };
        var unet = new UNet2DConditionConfig
        {
            SampleSize = [8], BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, CrossAttentionDim = xl ? 16 : 8, AttentionHeadDim = [2],
            DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
            AdditionEmbedType = xl ? "text_time" : null, AdditionTimeEmbedDim = xl ? 4 : null, ProjectionClassEmbeddingsInputDim = xl ? 6 + 6 * 4 : null,
        };
        var autoencoder = new AutoencoderKLConfig
        {
            BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"], UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        };
        var index = new JsonObject { ["_class_name"] = xl ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline", ["safety_checker"] = new JsonArray(null, null) };
        void Part(string name, string kind) => index[name] = new JsonArray("diffusers", kind);
        Write(folder, "unet", unet.ToJson(), new UNet2DCondition(unet), "diffusion_pytorch_model.safetensors");
        Part("unet", "UNet2DConditionModel");
        Write(folder, "vae", autoencoder.ToJson(), new AutoencoderKL(autoencoder), "diffusion_pytorch_model.safetensors");
        Part("vae", "AutoencoderKL");
        foreach (string suffix in xl ? (string[])["", "_2"] : [""])
        {
            var config = suffix == "" ? text : text with { Architectures = ["CLIPTextModelWithProjection"] };
            Write(folder, "text_encoder" + suffix, config.ToJson(), new ClipText(config), "model.safetensors");
            Part("text_encoder" + suffix, config.Architectures[0]);
            Tokenizer(Path.Combine(folder, "tokenizer" + suffix));
            Part("tokenizer" + suffix, "CLIPTokenizer");
        }
        if (xl) index["force_zeros_for_empty_prompt"] = true;
        Directory.CreateDirectory(Path.Combine(folder, "scheduler"));
        File.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), Ddim);
        Part("scheduler", "DDIMScheduler");
        File.WriteAllText(Path.Combine(folder, "model_index.json"), index.ToJsonString());
    }

    // Bytes, bytes that end a word, and no merges: every character is a token.
    private static void Tokenizer(string folder)
    {
        Directory.CreateDirectory(folder);
        int[] seen = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range(0xA1, 12), .. Enumerable.Range(0xAE, 82)];
        string[] bytes = [.. seen.Select(b => ((char)b).ToString()), .. Enumerable.Range(256, 256 - seen.Length).Select(b => ((char)b).ToString())];
        string[] all = [.. bytes, .. bytes.Select(b => b + "</w>"), "<|startoftext|>", "<|endoftext|>"];
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(all.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{ "model_max_length": 12, "pad_token": "<|endoftext|>" }""");
    }

    private static void Write(string folder, string part, string config, nn.Module network, string file)
    {
        using (network)
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
            File.WriteAllText(Path.Combine(folder, part, "config.json"), config);
            SafeTensors.Save(Path.Combine(folder, part, file), network.state_dict());
        }
    }
}
