using Langevin.Hub;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>CLIP's towers: with the published keys, and from those of the original.</summary>
internal static class ClipGoldens
{
    [Golden("networks", "clip")]
    public static void Towers(GoldenCase c)
    {
        if (c.Has("io.input_ids")) Text(c);
        else Both(c);
    }

    private static void Text(GoldenCase c)
    {
        var hf = c.Config.GetProperty("hf_config");
        var config = ClipTextConfig.Parse(hf.GetRawText()) with { Architectures = ["CLIPTextModelWithProjection"], EosTokenId = c.Int("eos_token_id"), HiddenAct = c.Text("hidden_act") };
        using var text = new ClipText(config);
        Networks.NetworkGolden.Load(text, c);
        using var _ = no_grad();
        var states = text.Encode(c["io.input_ids"]);
        c.Check("io.hidden_states", stack(states.HiddenStates));
        c.Check("io.last_hidden_state", states.Last);
        c.Check("io.penultimate_hidden_state_no_ln", states.HiddenStates[^2]);
        c.Check("io.clip_skip2_with_final_ln", text.Normalise(states.HiddenStates[^2]));
        c.Check("io.pooler_output", states.Pooled);
        c.Check("io.text_embeds", states.Embedding!);
    }

    private static void Both(GoldenCase c)
    {
        int width = c.Int("transformer_width"), seen = c.Int("vision_width");
        using var text = new ClipText(new()
        {
            VocabSize = c.Int("vocab_size"), HiddenSize = width, IntermediateSize = 4 * width, ProjectionDim = c.Int("embed_dim"), NumHiddenLayers = c.Int("transformer_layers"),
            NumAttentionHeads = c.Int("transformer_heads"), MaxPositionEmbeddings = c.Int("context_length"), EosTokenId = 2, Architectures = ["CLIPTextModelWithProjection"],
        });
        using var vision = new ClipVision(new()
        {
            ImageSize = c.Int("image_resolution"), PatchSize = c.Int("vision_patch_size"), HiddenSize = seen, IntermediateSize = 4 * seen, ProjectionDim = c.Int("embed_dim"),
            NumHiddenLayers = c.Int("vision_layers"), NumAttentionHeads = seen / 64,
        });
        var weights = ClipKeys.FromOriginal(c.Tensors.Where(t => !t.Key.StartsWith("io.", StringComparison.Ordinal)).ToDictionary(t => t.Key, t => t.Value));
        StateDict.Load(text, Part("text_"), c.Id);
        StateDict.Load(vision, Part("vis"), c.Id);
        Assert.Equal(weights.Count, text.state_dict().Count + vision.state_dict().Count + 1); // and logit_scale

        var image = c["io.image"].detach().clone().requires_grad_(true);
        var (seenFeatures, read) = (vision.Encode(image).Embedding!, text.Encode(c["io.text"]).Embedding!);
        c.Check("io.image_features", seenFeatures);
        c.Check("io.text_features", read);
        var scale = weights["logit_scale"].to(float32).detach().requires_grad_(true);
        var logits = scale.exp() * nn.functional.normalize(seenFeatures) .mm(nn.functional.normalize(read).t());
        c.Check("io.logits_per_image", logits);
        var loss = seenFeatures.square().mean() + read.square().mean() + logits.square().mean();
        c.Check("io.loss", loss);
        loss.backward();
        c.Check("io.grad_image", image.grad!);
        var squares = text.parameters().Concat(vision.parameters()).Append(scale).Where(p => p.grad is not null).Select(p => p.grad!.to(float64).square().sum()).ToArray();
        c.Check("io.param_grad_norm_total", stack(squares).sum().sqrt(), absolute: 1e-6);

        Dictionary<string, Tensor> Part(string prefix) => weights.Where(w => w.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(w => w.Key, w => w.Value);
    }
}
