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
