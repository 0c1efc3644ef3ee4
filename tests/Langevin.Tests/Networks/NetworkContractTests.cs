using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>What every network must do, whatever it is made of.</summary>
public class NetworkContractTests
{
    private const int Classes = 3;

    /// <summary>Small class-conditional networks, none with its output at zero, and the shape of one sample.</summary>
    private static (Network Network, long[] Sample) Make(string name)
    {
        manual_seed(7);
        return name switch
        {
            "unet2d" => (new UNet2D(Small), [2, 8, 12]),
            "unet2d adm" => (new UNet2D(Small with
            {
                ResnetTimeScaleShift = "scale_shift", ClassEmbedType = "timestep", NumClassEmbeds = null,
                DownBlockTypes = ["ResnetDownsampleBlock2D", "AttnDownBlock2D"], UpBlockTypes = ["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
            }), [2, 8, 12]),
            "unet2d ncsn++" => (new UNet2D(Small with
            {
                TimeEmbeddingType = "fourier", BlockOutChannels = [32, 32], MidBlockScaleFactor = Math.Sqrt(2), NormNumGroups = null,
                DownBlockTypes = ["SkipDownBlock2D", "AttnSkipDownBlock2D"], UpBlockTypes = ["AttnSkipUpBlock2D", "SkipUpBlock2D"],
            }), [2, 8, 12]),
            "song" => (NonZero(new SongUNet(new() { ImgResolution = 8, InChannels = 2, OutChannels = 2, ModelChannels = 16, ChannelMult = [1, 2], NumBlocks = 1, AttnResolutions = [4], LabelDim = Classes, Dropout = 0 })), [2, 8, 8]),
            "song ncsn++" => (NonZero(new SongUNet(new()
            {
                ImgResolution = 8, InChannels = 2, OutChannels = 2, ModelChannels = 16, ChannelMult = [1, 2], NumBlocks = 1, AttnResolutions = [4], LabelDim = Classes,
                Dropout = 0, EmbeddingType = "fourier", ChannelMultNoise = 2, EncoderType = "residual", DecoderType = "skip", ResampleFilter = [1, 3, 3, 1],
            })), [2, 8, 8]),
            "dhariwal" => (NonZero(new DhariwalUNet(new() { ImgResolution = 8, InChannels = 2, OutChannels = 2, ModelChannels = 32, ChannelMult = [1, 2], NumBlocks = 1, AttnResolutions = [4], LabelDim = Classes, Dropout = 0 })), [2, 8, 8]),
            "guided" => (NonZero(new GuidedUNet(new() { ImageSize = 8, InChannels = 2, OutChannels = 2, ModelChannels = 32, NumResBlocks = 1, AttentionResolutions = [2], ChannelMult = [1, 2], NumClasses = Classes, UseScaleShiftNorm = true, ResblockUpdown = true })), [2, 8, 8]),
            "dit" => (NonZero(new DiffusionTransformer(new() { NumAttentionHeads = 2, AttentionHeadDim = 8, InChannels = 2, NumLayers = 1, SampleSize = 8, NumEmbedsAdaNorm = Classes })), [2, 8, 8]),
            "mlp" => (NonZero(new ResidualMlp(new() { Dimensions = 3, Hidden = 16, Blocks = 2, ClassCount = Classes })), [3]),
            "unet1d" => (NonZero(new UNet1D(new() { InChannels = 2, OutChannels = 2, BlockOutChannels = [16, 32], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 16, ClassCount = Classes })), [2, 12]),
            _ => throw new NotSupportedException(name),
        };
    }

    internal static UNet2DConfig Small { get; } = new()
    {
        InChannels = 2, OutChannels = 2, BlockOutChannels = [16, 32], LayersPerBlock = 1, NormNumGroups = 4, AttentionHeadDim = 16, NumClassEmbeds = Classes + 1,
        DownBlockTypes = ["DownBlock2D", "AttnDownBlock2D"], UpBlockTypes = ["AttnUpBlock2D", "UpBlock2D"],
    };

    /// <summary>Layers that begin at zero, or near it, would hide what lies before them.</summary>
    private static Network NonZero(Network network)
    {
        using var _ = no_grad();
        foreach (var p in network.parameters())
            if (p.abs().max().item<float>() < 1e-3) p.normal_(0, 0.2);
        return network;
    }

    public static TheoryData<string> Names => ["unet2d", "unet2d adm", "unet2d ncsn++", "song", "song ncsn++", "dhariwal", "guided", "dit", "mlp", "unet1d"];

    private static (Tensor x, Tensor noise, Condition condition) Inputs(long[] sample, int count = 4)
    {
        var generator = new Generator(3);
        return (randn([count, .. sample], generator: generator), rand([count], generator: generator) * 5 + 0.5,
            Condition.OfLabel(tensor([.. Enumerable.Range(0, count).Select(i => (long)(i % (Classes + 1)) - 1)])));
    }

    [Theory, MemberData(nameof(Names))]
    public void Answers_in_the_shape_of_its_input(string name)
    {
        using var scope = NewDisposeScope();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, condition) = Inputs(sample);
        var y = network.call(x, noise, condition);
        Assert.Equal(x.shape, y.shape);
        Assert.True(y.isfinite().all().item<bool>());
        Assert.True(y.abs().max().item<float>() > 1e-6f);
    }

    [Theory, MemberData(nameof(Names))]
    public void Gives_every_weight_a_gradient(string name)
    {
        using var scope = NewDisposeScope();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, condition) = Inputs(sample);
        network.call(x, noise, condition).square().mean().backward();
        foreach (var (key, p) in network.named_parameters())
            if (p.requires_grad)
                Assert.True(p.grad is { } g && g.abs().max().item<float>() > 0 && g.isfinite().all().item<bool>(), $"{name}: {key} gets no gradient");
    }

    [Theory, MemberData(nameof(Names))]
    public void A_sample_does_not_depend_on_its_batch(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (network, sample) = Make(name);
        using var _ = network.to(ScalarType.Float64);
        var (x, noise, condition) = Inputs(sample);
        x = x.to(ScalarType.Float64);
        noise = noise.to(ScalarType.Float64);
        var all = network.call(x, noise, condition);
        var index = tensor([2L]);
        var one = network.call(x.index_select(0, index), noise.index_select(0, index), condition.Take(index));
        Assert.True(all.index_select(0, index).allclose(one, 1e-9, 1e-10));
        Assert.Equal(ScalarType.Float64, all.dtype);
    }

    [Theory, MemberData(nameof(Names))]
    public void Reads_label_and_noise(string name)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, _) = Inputs(sample);
        Tensor Of(long label, Tensor t) => network.call(x, t, Condition.OfLabel(full([4], label, ScalarType.Int64)));
        var none = Of(-1, noise);
        for (long label = 0; label < Classes; label++)
            Assert.True((Of(label, noise) - none).abs().max().item<float>() > 1e-6f, $"{name}: label {label} reads as none");
        Assert.True((Of(-1, noise * 1.5) - none).abs().max().item<float>() > 1e-6f);
        Assert.True(Of(-1, noise).equal(none).all().item<bool>());
    }

    [Theory, MemberData(nameof(Names))]
    public void Says_what_is_wrong_with_its_arguments(string name)
    {
        using var scope = NewDisposeScope();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, condition) = Inputs(sample);
        string Fails(Func<Tensor> call) => Assert.ThrowsAny<ArgumentException>(call).Message;
        Assert.Contains("expected", Fails(() => network.call(cat([x, x], 1), noise, condition)));
        Assert.Contains("one a sample", Fails(() => network.call(x, noise.narrow(0, 0, 2), condition)));
        Assert.Contains("no class", Fails(() => network.call(x, noise, Condition.None)));
        if (name != "unet2d adm")
            Assert.Contains("out of range", Fails(() => network.call(x, noise, Condition.OfLabel(full([4], Classes + 1, ScalarType.Int64)))));
        if (sample.Length > 1)
            Assert.Contains("multiple", Fails(() => network.call(x.narrow(-1, 0, x.size(-1) - 1), noise, condition)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Leaves_no_tensor_behind(string name)
    {
        using var outer = NewDisposeScope();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, condition) = Inputs(sample);
        long Live()
        {
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            using (var scope = NewDisposeScope())
            using (no_grad())
                network.call(x, noise, condition);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
        }
        Live();
        Assert.Equal(0, Live());
    }

    [Theory, MemberData(nameof(Names))]
    public void Computes_about_the_same_in_bfloat16(string name)
    {
        using var scope = NewDisposeScope();
        var (network, sample) = Make(name);
        using var _ = network;
        var (x, noise, condition) = Inputs(sample);
        Tensor plain;
        using (no_grad()) plain = network.call(x, noise, condition);
        network.ComputeType = ScalarType.BFloat16;
        var y = network.call(x, noise, condition);
        Assert.Equal(ScalarType.Float32, y.dtype);
        Assert.True(((y - plain).square().mean() / plain.square().mean()).item<float>() < 4e-3f);
        y.square().mean().backward();
        Assert.All(network.parameters().Where(p => p.requires_grad), p => Assert.Equal(ScalarType.Float32, p.grad!.dtype));
    }
}
