using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>Networks of the sizes that are published, on a device that counts and does not compute.</summary>
public class FullSizeTests
{
    private static readonly UNet2DConditionConfig Xl = new()
    {
        SampleSize = [128], BlockOutChannels = [320, 640, 1280], DownBlockTypes = ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        UpBlockTypes = ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], AttentionHeadDim = [5, 10, 20], TransformerLayersPerBlock = [1, 2, 10], CrossAttentionDim = 2048,
        UseLinearProjection = true, AdditionEmbedType = "text_time", AdditionTimeEmbedDim = 256, ProjectionClassEmbeddingsInputDim = 2816,
    };

    private static readonly AutoencoderKLConfig Autoencoder = new()
    {
        BlockOutChannels = [128, 256, 512, 512], LayersPerBlock = 2, DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 4)], UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 4)],
    };

    private static void Counts(long expected, Func<nn.Module> build)
    {
        set_default_device(META);
        try
        {
            using var scope = NewDisposeScope();
            using var network = build();
            Assert.Equal(expected, network.parameters().Sum(p => p.numel()));
        }
        finally
        {
            set_default_device(CPU);
        }
    }

    [Fact]
    public void Stable_Diffusion_1_5_has_as_many_parameters_as_the_published_one() => Counts(859_520_964, () => new UNet2DCondition(new() { CrossAttentionDim = 768 }));

    [Fact]
    public void Stable_Diffusion_XL_has_as_many_parameters_as_the_published_one() => Counts(2_567_463_684, () => new UNet2DCondition(Xl));

    // XL takes 5 GiB and minutes.
    [Theory(Explicit = true), InlineData(false), InlineData(true), Trait("Category", "Slow")]
    public void They_are_built_in_half_precision_and_answer(bool xl)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        UNet2DCondition network;
        using (new UnsetWeights(ScalarType.Float16)) network = new(xl ? Xl : new() { CrossAttentionDim = 768 });
        using var owned = network;
        network.eval();
        foreach (var parameter in network.parameters())
            using (NewDisposeScope())
                if (parameter.dtype == ScalarType.Float16) parameter.copy_(randn(parameter.shape) * 0.02);
        long count = network.parameters().Sum(p => p.numel()), bytes = network.parameters().Sum(p => p.numel() * p.element_size());
        Assert.Equal(xl ? 2_567_463_684 : 859_520_964, count);
        Assert.True(bytes < 2.01 * count, $"{bytes:n0} bytes");
        var (x, noise) = (randn(1, 4, 32, 32), full(1, 500f));
        Condition Told() => xl ? Condition.None.With(UNet2DCondition.ContextSlot, randn(1, 77, 2048)).With(UNet2DCondition.TextVectorSlot, randn(1, 1280)).With(UNet2DCondition.NumbersSlot, tensor(new float[,] { { 256, 256, 0, 0, 256, 256 } }))
            : Condition.None.With(UNet2DCondition.ContextSlot, randn(1, 77, 768));
        var (one, other) = (network.call(x, noise, Told()), network.call(x, noise, Told()));
        Assert.True(one.isfinite().all().item<bool>() && (one - other).abs().max().item<float>() > 0);
        long resident = System.Diagnostics.Process.GetCurrentProcess().WorkingSet64;
        Assert.True(resident < bytes + (2L << 30), $"{resident >> 20:n0} MiB resident for {bytes >> 20:n0} MiB of weights");
    }

    [Fact]
    public void Its_autoencoder_has_as_many_parameters_as_the_published_one() => Counts(83_653_863, () => new AutoencoderKL(Autoencoder));

    [Fact]
    public void The_text_model_of_CLIP_ViT_L_14_has_as_many_parameters_as_the_published_one() =>
        Counts(123_060_480, () => new ClipText(new() { HiddenSize = 768, IntermediateSize = 3072, ProjectionDim = 768, NumAttentionHeads = 12 }));
}
