using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>
/// A checkpoint of Stable Diffusion in one file with latent diffusion's own names, as the models were first published and are still passed
/// around: turned into a folder in the diffusers layout. Version 1, 2 or XL is told from the weights.
/// </summary>
public static partial class LdmCheckpoint
{
    private const string UNetPrefix = "model.diffusion_model.", CodecPrefix = "first_stage_model.";

    // Where each text model's weights stand, whether by the names of CLIP's authors, and the part they become.
    private static readonly (string Prefix, bool Original, string Part)[] Texts =
    [
        ("cond_stage_model.transformer.", false, "text_encoder"), ("cond_stage_model.model.", true, "text_encoder"),
        ("conditioner.embedders.0.transformer.", false, "text_encoder"), ("conditioner.embedders.0.model.", true, "text_encoder_2"), ("conditioner.embedders.1.model.", true, "text_encoder_2"),
    ];

    /// <summary>Whether a file's names are those of such a checkpoint.</summary>
    public static bool Is(IEnumerable<string> names) => names.Any(n => n.StartsWith(UNetPrefix, StringComparison.Ordinal));

    /// <summary>Writes the folder.</summary>
    /// <param name="file">The checkpoint: safetensors, or a PyTorch file, of which only tensors are read.</param>
    /// <param name="folder">The folder to write.</param>
    /// <param name="tokenizer">CLIP's merges as its authors publish them (bpe_simple_vocab_16e6.txt.gz), or a tokenizer's folder of another model: a checkpoint has none.</param>
    /// <param name="prediction">What the U-Net predicts: "epsilon", or "v_prediction" as Stable Diffusion 2's for 768 pixels do, which cannot be told from weights.</param>
    /// <param name="type">Type to write weights in; null for the file's own.</param>
    /// <exception cref="InvalidDataException">No such checkpoint, one without some part, or of an architecture that is not known here.</exception>
    public static void Convert(string file, string folder, string tokenizer, string prediction = "epsilon", ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var all = ModelFolder.Read(file).Select(p => KeyValuePair.Create(p.Key.StartsWith("state_dict.", StringComparison.Ordinal) ? p.Key["state_dict.".Length..] : p.Key, p.Value)).ToArray();
        if (!Is(all.Select(p => p.Key))) throw new InvalidDataException($"'{file}' has no '{UNetPrefix}…': it is no checkpoint of Stable Diffusion in one file.");
        Dictionary<string, Tensor> Under(string prefix) => all.Where(p => p.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(p => p.Key[prefix.Length..], p => p.Value);

        var index = new JsonObject { ["_class_name"] = "StableDiffusionPipeline" };
        void Part(string name, string library, string className) => index[name] = new JsonArray(library, className);
        // Names and shapes must fit before anything is written.
        var parts = new List<(string Part, string File, string Config, IReadOnlyDictionary<string, Tensor> Weights)>();
        void Add<T>(string part, string config, string name, Func<T> build, IReadOnlyDictionary<string, Tensor> weights) where T : nn.Module
        {
            using var unset = new UnsetWeights(ScalarType.Float16);
            using var network = build();
            StateDict.Check(network, weights, $"'{file}', {part}:");
            parts.Add((part, name, config, weights));
        }

        var unet = Under(UNetPrefix);
        int layers = unet.Keys.Select(k => Op().Match(k)).Where(m => m.Success).Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).DefaultIfEmpty(3).Min() - 1;
        var named = unet.ToDictionary(p => LdmKeys.UNet(p.Key, layers) ?? throw new InvalidDataException($"'{file}': '{p.Key}' is no weight of Stable Diffusion's U-Net."), p => p.Value);
        var shape = Shape(named, layers);
        Add("unet", shape.ToJson(), "diffusion_pytorch_model.safetensors", () => new UNet2DCondition(shape), named);
        Part("unet", "diffusers", "UNet2DConditionModel");
        bool xl = shape.AdditionEmbedType is not null;

        var codec = Under(CodecPrefix).Where(p => !p.Key.StartsWith("loss.", StringComparison.Ordinal)).ToDictionary();
        int levels = 1 + codec.Keys.Select(k => Down().Match(k)).Where(m => m.Success).Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).DefaultIfEmpty(-1).Max();
        if (levels == 0) throw new InvalidDataException($"'{file}' has no autoencoder ('{CodecPrefix}…').");
        var coded = DiffusersKeys.Modern(codec.ToDictionary(p => LdmKeys.Autoencoder(p.Key, levels), p => p.Value)).ToDictionary(p => p.Key,
            p => p.Key.Contains(".attentions.", StringComparison.Ordinal) && p.Value.dim() == 4 ? p.Value.flatten(1) : p.Value); // once convolutions of one pixel
        var autoencoder = new AutoencoderKLConfig
        {
            BlockOutChannels = [.. Enumerable.Range(0, levels).Select(i => (int)coded[$"encoder.down_blocks.{i}.resnets.0.conv1.weight"].size(0))], LayersPerBlock = Enumerable.Range(1, 8).TakeWhile(k => coded.ContainsKey($"encoder.down_blocks.0.resnets.{k}.conv1.weight")).Count() + 1, LatentChannels = (int)coded["post_quant_conv.weight"].size(0),
            DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", levels)], UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", levels)], ScalingFactor = xl ? 0.13025 : 0.18215,
        };
        Add("vae", autoencoder.ToJson(), "diffusion_pytorch_model.safetensors", () => new AutoencoderKL(autoencoder), coded);
        Part("vae", "diffusers", "AutoencoderKL");

        foreach (var (prefix, original, part) in Texts)
        {
            var text = Under(prefix).Where(p => p.Key is not ("logit_scale" or "attn_mask")).ToDictionary();
            if (text.Count == 0) continue;
            var weights = DiffusersKeys.Modern(original ? ClipKeys.FromOriginal(text) : text);
            // Version 2 reads the layer before the last, so the last of its text model is left out, and its projection.
            bool cut = original && part == "text_encoder";
            var config = TextConfig(weights, original, cut);
            weights = weights.Where(p => !(cut && (p.Key.StartsWith($"text_model.encoder.layers.{config.NumHiddenLayers}.", StringComparison.Ordinal) || p.Key == "text_projection.weight"))).ToDictionary();
            Add(part, config.ToJson(), "model.safetensors", () => new ClipText(config), weights);
            Part(part, "transformers", config.Architectures[0]);
            Part(part.Replace("text_encoder", "tokenizer", StringComparison.Ordinal), "transformers", "CLIPTokenizer");
        }
        if (parts.Count == 2) throw new InvalidDataException($"'{file}' has no text model.");
        var reader = Directory.Exists(tokenizer) ? ClipTokenizer.FromFolder(tokenizer) : ClipTokenizer.FromMerges(tokenizer);
        if (xl) index["_class_name"] = parts.Any(p => p.Part == "text_encoder") ? "StableDiffusionXLPipeline" : "StableDiffusionXLImg2ImgPipeline";
        if (xl) index[parts.Any(p => p.Part == "text_encoder") ? "force_zeros_for_empty_prompt" : "requires_aesthetics_score"] = true;

        foreach (var (part, name, config, weights) in parts)
        {
            WeightConversion.Save(Path.Combine(folder, part, name), weights, type);
            AtomicFile.WriteAllText(Path.Combine(folder, part, "config.json"), config);
            // XL's second text model is filled up with "!", which is token 0.
            if (part.StartsWith("text_encoder", StringComparison.Ordinal)) reader.Save(Path.Combine(folder, part.Replace("text_encoder", "tokenizer", StringComparison.Ordinal)), part == "text_encoder" && !config.Contains("\"gelu\"", StringComparison.Ordinal) ? null : "!");
        }
        Part("scheduler", "diffusers", xl ? "EulerDiscreteScheduler" : "DDIMScheduler");
        var scheduler = new JsonObject
        {
            ["_class_name"] = xl ? "EulerDiscreteScheduler" : "DDIMScheduler", ["num_train_timesteps"] = 1000, ["beta_start"] = 0.00085, ["beta_end"] = 0.012, ["beta_schedule"] = "scaled_linear",
            ["steps_offset"] = 1, ["prediction_type"] = prediction, ["timestep_spacing"] = "leading",
        };
        if (!xl) (scheduler["clip_sample"], scheduler["set_alpha_to_one"]) = (false, false);
        AtomicFile.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), scheduler.ToJsonString());
        AtomicFile.WriteAllText(Path.Combine(folder, "model_index.json"), index.ToJsonString(new() { WriteIndented = true }));
    }

    // The U-Net's shape, read off its weights.
    private static UNet2DConditionConfig Shape(Dictionary<string, Tensor> weights, int layers)
    {
        long Rows(string key) => weights.TryGetValue(key, out var w) ? w.size(0) : throw new InvalidDataException($"The U-Net lacks '{key}'.");
        int levels = 0;
        while (weights.ContainsKey($"down_blocks.{levels}.resnets.0.conv1.weight")) levels++;
        if (levels == 0) throw new InvalidDataException("The U-Net has no down_blocks.");
        int[] channels = [.. Enumerable.Range(0, levels).Select(i => (int)Rows($"down_blocks.{i}.resnets.0.conv1.weight"))];
        bool Attends(int level) => weights.ContainsKey($"down_blocks.{level}.attentions.0.norm.weight");
        int Depth(string block)
        {
            int depth = 0;
            while (weights.ContainsKey($"{block}.attentions.0.transformer_blocks.{depth}.norm1.weight")) depth++;
            return depth;
        }
        int context = weights.Where(p => p.Key.EndsWith(".attn2.to_k.weight", StringComparison.Ordinal)).Select(p => (int)p.Value.size(1)).FirstOrDefault();
        bool linear = weights.TryGetValue("mid_block.attentions.0.proj_in.weight", out var into) && into.dim() == 2, added = weights.ContainsKey("add_embedding.linear_1.weight");
        int numbers = added ? (int)weights["add_embedding.linear_1.weight"].size(1) : 0;
        return new()
        {
            SampleSize = [added ? 128 : context == 768 ? 64 : 96], InChannels = (int)weights["conv_in.weight"].size(1), OutChannels = (int)Rows("conv_out.weight"), BlockOutChannels = channels, LayersPerBlock = layers,
            CrossAttentionDim = context, UseLinearProjection = linear,
            // Version 1 has 8 heads everywhere; later ones heads of 64.
            AttentionHeadDim = linear ? [.. channels.Select(c => Math.Max(1, c / 64))] : [8],
            TransformerLayersPerBlock = [.. Enumerable.Range(0, levels).Select(i => Attends(i) ? Depth($"down_blocks.{i}") : i == levels - 1 ? Math.Max(1, Depth("mid_block")) : 1)],
            DownBlockTypes = [.. Enumerable.Range(0, levels).Select(i => Attends(i) ? "CrossAttnDownBlock2D" : "DownBlock2D")],
            UpBlockTypes = [.. Enumerable.Range(0, levels).Reverse().Select(i => Attends(i) ? "CrossAttnUpBlock2D" : "UpBlock2D")],
            NumClassEmbeds = weights.TryGetValue("class_embedding.weight", out var classes) ? (int)classes.size(0) : null,
            AdditionEmbedType = added ? "text_time" : null, AdditionTimeEmbedDim = added ? 256 : null, ProjectionClassEmbeddingsInputDim = added ? numbers : null,
        };
    }

    private static ClipTextConfig TextConfig(IReadOnlyDictionary<string, Tensor> weights, bool original, bool cut)
    {
        Tensor Of(string key) => weights.TryGetValue(key, out var w) ? w : throw new InvalidDataException($"A text model lacks '{key}'.");
        var table = Of("text_model.embeddings.token_embedding.weight");
        int layers = 0, width = (int)table.size(1);
        while (weights.ContainsKey($"text_model.encoder.layers.{layers}.layer_norm1.weight")) layers++;
        return new()
        {
            VocabSize = (int)table.size(0), HiddenSize = width, IntermediateSize = (int)Of("text_model.encoder.layers.0.mlp.fc1.weight").size(0), NumHiddenLayers = layers - (cut ? 1 : 0),
            NumAttentionHeads = Math.Max(1, width / 64), MaxPositionEmbeddings = (int)Of("text_model.embeddings.position_embedding.weight").size(0), HiddenAct = original ? "gelu" : "quick_gelu", EosTokenId = (int)table.size(0) - 1,
            ProjectionDim = weights.TryGetValue("text_projection.weight", out var projection) ? (int)projection.size(0) : width,
            Architectures = [original && !cut ? "CLIPTextModelWithProjection" : "CLIPTextModel"],
        };
    }

    [GeneratedRegex(@"^input_blocks\.(\d{1,3})\.0\.op\.")]
    private static partial Regex Op();

    [GeneratedRegex(@"^encoder\.down\.(\d{1,3})\.")]
    private static partial Regex Down();
}
