using Langevin.Networks;

namespace Langevin.Tests.Networks;

public class NetworkConfigTests
{
    [Fact]
    public void A_diffusers_file_is_read_as_it_stands()
    {
        var config = UNet2DConfig.Parse("""
            { "_class_name": "UNet2DModel", "_diffusers_version": "0.27.2", "sample_size": [32, 48], "in_channels": 1, "block_out_channels": [32, 64],
              "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "attention_head_dim": null,
              "mid_block_scale_factor": 1, "norm_num_groups": 8, "flip_sin_to_cos": false, "num_class_embeds": 11 }
            """);
        Assert.Equal([32, 48], config.SampleSize!);
        Assert.Equal(1, config.InChannels);
        Assert.Equal(3, config.OutChannels);
        Assert.Equal(["AttnUpBlock2D", "UpBlock2D"], config.UpBlockTypes);
        Assert.Null(config.AttentionHeadDim);
        Assert.False(config.FlipSinToCos);
        Assert.Equal(2, config.LayersPerBlock);
        Assert.Equal(11, config.NumClassEmbeds);
        Assert.Equal("UNetMidBlock2D", config.MidBlockType);
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        UNet2DConfig config = new() { SampleSize = [28], Dropout = 0.1, MidBlockType = null, AttnNormNumGroups = 4, BlockOutChannels = [8, 16, 32, 64] };
        Assert.Equal(config, UNet2DConfig.Parse(config.ToJson()));
        Assert.NotEqual(config, config with { BlockOutChannels = [8, 16, 32, 65] });
        Assert.Contains("\"_class_name\": \"UNet2DModel\"", config.ToJson());
        Assert.Contains("\"sample_size\": 28", config.ToJson());
        SongUNetConfig song = new() { ResampleFilter = [1, 3, 3, 1], AttnResolutions = [8, 4] };
        Assert.Equal(song, SongUNetConfig.Parse(song.ToJson()));
        DhariwalUNetConfig adm = new() { LabelDim = 10 };
        Assert.Equal(adm, DhariwalUNetConfig.Parse(adm.ToJson()));
        UNet1DConfig sequence = new() { ClassCount = 3 };
        Assert.Equal(sequence, UNet1DConfig.Parse(sequence.ToJson()));
        ResidualMlpConfig mlp = new() { Hidden = 64 };
        Assert.Equal(mlp, ResidualMlpConfig.Parse(mlp.ToJson()));
    }

    [Fact]
    public void Published_files_are_read_as_they_stand()
    {
        var dit = DiffusionTransformerConfig.Parse("""
            { "_class_name": "Transformer2DModel", "_diffusers_version": "0.12.0.dev0", "activation_fn": "gelu-approximate", "attention_bias": true, "attention_head_dim": 72,
              "cross_attention_dim": null, "dropout": 0.0, "in_channels": 4, "norm_elementwise_affine": false, "norm_num_groups": 32, "norm_type": "ada_norm_zero",
              "num_attention_heads": 16, "num_embeds_ada_norm": 1000, "num_layers": 28, "num_vector_embeds": null, "only_cross_attention": false, "out_channels": 8,
              "patch_size": 2, "sample_size": 32, "upcast_attention": false, "use_linear_projection": false }
            """);
        Assert.Equal((28, 8, 1000), (dit.NumLayers, dit.OutChannels, dit.NumEmbedsAdaNorm));
        Assert.Equal(dit, DiffusionTransformerConfig.Parse(dit.ToJson()));
        var text = ClipTextConfig.Parse("""
            { "_name_or_path": "openai/clip-vit-large-patch14", "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2,
              "hidden_act": "quick_gelu", "hidden_size": 768, "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
              "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768,
              "torch_dtype": "float32", "transformers_version": "4.22.0.dev0", "vocab_size": 49408 }
            """);
        Assert.Equal((768, 12, 2), (text.HiddenSize, text.NumHiddenLayers, text.EosTokenId));
        Assert.Equal(text.ToJson(), ClipTextConfig.Parse(text.ToJson()).ToJson());
        Assert.Contains("'hidden_sizes'", Assert.Throws<InvalidDataException>(() => ClipTextConfig.Parse("""{ "hidden_sizes": 768 }""")).Message);
        var control = ControlNetConfig.Parse("""
            { "_class_name": "ControlNetModel", "_diffusers_version": "0.14.0.dev0", "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
              "class_embed_type": null, "conditioning_embedding_out_channels": [16, 32, 96, 256], "controlnet_conditioning_channel_order": "rgb", "cross_attention_dim": 768,
              "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1, "flip_sin_to_cos": true,
              "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "num_class_embeds": null,
              "only_cross_attention": false, "projection_class_embeddings_input_dim": null, "resnet_time_scale_shift": "default", "upcast_attention": false, "use_linear_projection": false }
            """);
        Assert.Equal(768, control.Encoder.CrossAttentionDim);
        Assert.Contains("bgr", Assert.Throws<InvalidDataException>(() => ControlNetConfig.Parse("""{ "controlnet_conditioning_channel_order": "bgr" }""")).Message);
        GuidedUNetConfig guided = new() { NumClasses = 1000, AttentionResolutions = [8, 16, 32] };
        Assert.Equal(guided.ToJson(), GuidedUNetConfig.Parse(guided.ToJson()).ToJson());
        Ncsnv2Config score = new() { Deeper = true, NumClasses = 500 };
        Assert.Equal(score, Ncsnv2Config.Parse(score.ToJson()));
        DiffWaveConfig wave = new() { ResidualLayers = 12, Unconditional = true };
        Assert.Equal(wave, DiffWaveConfig.Parse(wave.ToJson()));
        ClipVisionConfig vision = new() { PatchSize = 16 };
        Assert.Equal(vision.ToJson(), ClipVisionConfig.Parse(vision.ToJson()).ToJson());
    }

    [Theory]
    [InlineData("""{ "block_out_chanels": [8] }""", "'block_out_chanels'", "'block_out_channels'")]
    [InlineData("""{ "layers_per_blocks": 1 }""", "'layers_per_blocks'", "'layers_per_block'")]
    [InlineData("""{ "in_channels": "many" }""", "in_channels", "wrong type")]
    [InlineData("""[1, 2]""", "JSON object", "Array")]
    [InlineData("""{ "in_channels": """, "not JSON", "UNet2DModel")]
    public void Bad_files_are_refused_with_a_reason(string json, string first, string second)
    {
        string message = Assert.Throws<InvalidDataException>(() => UNet2DConfig.Parse(json)).Message;
        Assert.Contains(first, message);
        Assert.Contains(second, message);
    }

    public static TheoryData<string, UNet2DConfig> Contradictions => new()
    {
        { "same length", NetworkContractTests.Small with { BlockOutChannels = [8] } },
        { "'DownBlock3D' is unknown", NetworkContractTests.Small with { DownBlockTypes = ["DownBlock3D", "DownBlock2D"] } },
        { "does not divide", NetworkContractTests.Small with { AttentionHeadDim = 5 } },
        { "into 5 groups", NetworkContractTests.Small with { NormNumGroups = 5 } },
        { "act_fn", NetworkContractTests.Small with { ActFn = "tanh" } },
        { "num_train_timesteps", NetworkContractTests.Small with { TimeEmbeddingType = "learned" } },
        { "resnet_time_scale_shift", NetworkContractTests.Small with { ResnetTimeScaleShift = "both" } },
        { "dropout", NetworkContractTests.Small with { Dropout = 1 } },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Contradictions_are_refused_with_a_reason(string reason, UNet2DConfig config) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => new UNet2D(config)).Message);
}
