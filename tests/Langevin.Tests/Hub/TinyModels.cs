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

    /// <summary>What a tiny model of prompts is for.</summary>
    public enum Kind { Plain, Xl, Refiner, FillsIn, Enlarges }

    public static AutoencoderKLConfig Autoencoder { get; } = new()
    {
        BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"], UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    };

    public static void StableDiffusion(string folder, bool xl) => StableDiffusion(folder, xl ? Kind.Xl : Kind.Plain);

    /// <summary>Stable Diffusion in small: pictures of 16 × 16, codes of 8 × 8.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="kind">What for.</param>
    /// <param name="wide">Whether widths, heads and groups are in the proportions of the published models, so that they can be read off the weights.</param>
    public static void StableDiffusion(string folder, Kind kind = Kind.Plain, bool wide = false)
    {
        manual_seed(11);
        var unet = UNet(kind);
        bool xl = kind is Kind.Xl or Kind.Refiner;
        var autoencoder = Autoencoder;
        var text = new ClipTextConfig { VocabSize = 514, HiddenSize = 8, IntermediateSize = 16, ProjectionDim = 6, NumHiddenLayers = 3, NumAttentionHeads = 2, MaxPositionEmbeddings = 12, EosTokenId = 513 };
        if (wide)
        {
            unet = unet with { BlockOutChannels = xl ? [64, 128] : [32, 64], NormNumGroups = 32, AttentionHeadDim = xl ? [1, 2] : [8], UseLinearProjection = xl };
            if (xl) unet = unet with { AdditionTimeEmbedDim = 256, ProjectionClassEmbeddingsInputDim = 6 + 5 * 256 };
            autoencoder = autoencoder with { BlockOutChannels = [32, 64], NormNumGroups = 32, ScalingFactor = xl ? 0.13025 : 0.18215 };
            text = text with { NumAttentionHeads = 1, HiddenAct = xl ? "gelu" : "quick_gelu" };
        }
        var index = new JsonObject { ["_class_name"] = xl ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline", ["safety_checker"] = new JsonArray(null, null) };
        void Part(string name, string kind) => index[name] = new JsonArray("diffusers", kind);
        Write(folder, "unet", unet.ToJson(), new UNet2DCondition(unet), "diffusion_pytorch_model.safetensors");
        Part("unet", "UNet2DConditionModel");
        Write(folder, "vae", autoencoder.ToJson(), new AutoencoderKL(autoencoder), "diffusion_pytorch_model.safetensors");
        Part("vae", "AutoencoderKL");
        foreach (string suffix in kind switch { Kind.Xl => (string[])["", "_2"], Kind.Refiner => ["_2"], _ => [""] })
        {
            var config = suffix == "" ? text : text with { Architectures = ["CLIPTextModelWithProjection"] };
            Write(folder, "text_encoder" + suffix, config.ToJson(), new ClipText(config), "model.safetensors");
            Part("text_encoder" + suffix, config.Architectures[0]);
            Tokenizer(Path.Combine(folder, "tokenizer" + suffix), suffix == "" ? "<|endoftext|>" : "!");
            Part("tokenizer" + suffix, "CLIPTokenizer");
        }
        if (xl) index["force_zeros_for_empty_prompt"] = kind == Kind.Xl;
        if (kind == Kind.Refiner) index["requires_aesthetics_score"] = true;
        Scheduler(folder, "scheduler", Ddim);
        Part("scheduler", "DDIMScheduler");
        if (kind == Kind.Enlarges)
        {
            Scheduler(folder, "low_res_scheduler", """{ "_class_name": "DDPMScheduler", "beta_end": 0.02, "beta_schedule": "scaled_linear", "beta_start": 0.0001, "num_train_timesteps": 1000 }""");
            Part("low_res_scheduler", "DDPMScheduler");
        }
        File.WriteAllText(Path.Combine(folder, "model_index.json"), index.ToJsonString());
    }

    /// <summary>A ControlNet for the plain model, whose last layers are not at zero.</summary>
    public static void Control(string folder)
    {
        manual_seed(12);
        var config = new ControlNetConfig(UNet(Kind.Plain)) { ConditioningEmbeddingOutChannels = [4, 8] };
        var net = new ControlNet(config);
        using (no_grad())
            foreach (var (_, parameter) in net.named_parameters()) parameter.add_(randn_like(parameter) * 0.1);
        Write(Path.GetDirectoryName(folder)!, Path.GetFileName(folder), config.ToJson(), net, "diffusion_pytorch_model.safetensors");
    }

    /// <summary>A model without prompts: "ddpm" of pixels, "ldm" of a quantised autoencoder's codes, "dit" of classes.</summary>
    public static void Unprompted(string folder, string kind)
    {
        manual_seed(13);
        var index = new JsonObject { ["_class_name"] = kind switch { "ddpm" => "DDPMPipeline", "ldm" => "LDMPipeline", _ => "DiTPipeline" } };
        if (kind == "dit")
        {
            var config = new DiffusionTransformerConfig { NumAttentionHeads = 2, AttentionHeadDim = 8, NumLayers = 2, SampleSize = 8, OutChannels = 8, NumEmbedsAdaNorm = 10 };
            var net = new DiffusionTransformer(config);
            using (no_grad())
                foreach (var (_, parameter) in net.named_parameters()) parameter.add_(randn_like(parameter) * 0.05); // its last layer begins at zero
            Write(folder, "transformer", config.ToJson(), net, "diffusion_pytorch_model.safetensors");
            index["transformer"] = new JsonArray("diffusers", "DiTTransformer2DModel");
            index["id2label"] = new JsonObject { ["0"] = "tench, Tinca tinca", ["1"] = "goldfish" };
            Write(folder, "vae", Autoencoder.ToJson(), new AutoencoderKL(Autoencoder), "diffusion_pytorch_model.safetensors");
            index["vae"] = new JsonArray("diffusers", "AutoencoderKL");
        }
        else
        {
            var config = new UNet2DConfig
            {
                SampleSize = [8], InChannels = kind == "ldm" ? 4 : 3, OutChannels = kind == "ldm" ? 4 : 3, BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 8,
                DownBlockTypes = ["DownBlock2D", "AttnDownBlock2D"], UpBlockTypes = ["AttnUpBlock2D", "UpBlock2D"],
            };
            Write(folder, "unet", config.ToJson(), new UNet2D(config), "diffusion_pytorch_model.safetensors");
            index["unet"] = new JsonArray("diffusers", "UNet2DModel");
        }
        if (kind == "ldm")
        {
            var config = new VQModelConfig
            {
                BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"], UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"],
                LatentChannels = 4, NumVqEmbeddings = 16,
            };
            Write(folder, "vqvae", config.ToJson(), new VQModel(config), "diffusion_pytorch_model.safetensors");
            index["vqvae"] = new JsonArray("diffusers", "VQModel");
        }
        Scheduler(folder, "scheduler", kind == "ddpm" ? """{ "_class_name": "DDPMScheduler", "num_train_timesteps": 1000 }""" : Ddim);
        index["scheduler"] = new JsonArray("diffusers", kind == "ddpm" ? "DDPMScheduler" : "DDIMScheduler");
        File.WriteAllText(Path.Combine(folder, "model_index.json"), index.ToJsonString());
    }

    private static UNet2DConditionConfig UNet(Kind kind)
    {
        bool xl = kind is Kind.Xl or Kind.Refiner;
        int numbers = kind == Kind.Refiner ? 5 : 6;
        return new()
        {
            SampleSize = [8], BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, CrossAttentionDim = kind == Kind.Xl ? 16 : 8, AttentionHeadDim = [2],
            InChannels = kind switch { Kind.FillsIn => 9, Kind.Enlarges => 7, _ => 4 }, NumClassEmbeds = kind == Kind.Enlarges ? 1000 : null,
            DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
            AdditionEmbedType = xl ? "text_time" : null, AdditionTimeEmbedDim = xl ? 4 : null, ProjectionClassEmbeddingsInputDim = xl ? 6 + numbers * 4 : null,
        };
    }

    private static void Scheduler(string folder, string part, string json)
    {
        Directory.CreateDirectory(Path.Combine(folder, part));
        File.WriteAllText(Path.Combine(folder, part, "scheduler_config.json"), json);
    }

    // Bytes, bytes that end a word, and no merges: every character is a token.
    private static void Tokenizer(string folder, string pad)
    {
        Directory.CreateDirectory(folder);
        int[] seen = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range(0xA1, 12), .. Enumerable.Range(0xAE, 82)];
        string[] bytes = [.. seen.Select(b => ((char)b).ToString()), .. Enumerable.Range(256, 256 - seen.Length).Select(b => ((char)b).ToString())];
        string[] all = [.. bytes, .. bytes.Select(b => b + "</w>"), "<|startoftext|>", "<|endoftext|>"];
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(all.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{ "model_max_length": 12, "pad_token": "PAD" }""".Replace("PAD", pad, StringComparison.Ordinal));
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
