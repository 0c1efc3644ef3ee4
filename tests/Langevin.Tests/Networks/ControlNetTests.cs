using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Tests.Networks;

/// <summary>Steering of a U-Net by pictures.</summary>
public class ControlNetTests
{
    private static readonly UNet2DConditionConfig Shape = new()
    {
        InChannels = 4, OutChannels = 4, BlockOutChannels = [8, 16], LayersPerBlock = 1, NormNumGroups = 4, CrossAttentionDim = 6, AttentionHeadDim = [2],
        DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
    };

    private static (UNet2DCondition, ControlNet, Tensor X, Tensor Noise, Condition) Make()
    {
        manual_seed(2);
        var (unet, control) = (new UNet2DCondition(Shape), new ControlNet(new(Shape) { ConditioningEmbeddingOutChannels = [4, 8] }));
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, randn(2, 5, 6)).With("edges", rand(2, 3, 16, 16)).With("depth", rand(2, 3, 16, 16));
        return (unet, control, randn(2, 4, 8, 8), tensor(new[] { 3f, 700f }), condition);
    }

    private static void Stir(nn.Module network)
    {
        using var _ = no_grad();
        foreach (var p in network.parameters()) if (p.abs().max().item<float>() == 0) p.normal_(0, 0.3);
    }

    [Fact]
    public void At_the_beginning_it_changes_nothing_and_then_it_does()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (unet, control, x, noise, condition) = Make();
        var alone = unet.call(x, noise, condition);
        var steered = new ControlledUNet(unet, (control, 1, "edges"));
        Assert.Equal(0, (steered.call(x, noise, condition) - alone).abs().max().item<float>());
        Stir(control);
        Assert.True((steered.call(x, noise, condition) - alone).abs().max().item<float>() > 1e-3);
        Assert.Equal(0, (new ControlledUNet(unet, (control, 0, "edges")).call(x, noise, condition) - alone).abs().max().item<float>());
    }

    [Fact]
    public void Two_that_read_one_picture_are_one_twice_as_strong()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (unet, control, x, noise, condition) = Make();
        Stir(control);
        var twice = new ControlledUNet(unet, (control, 2, "edges")).call(x, noise, condition);
        var both = new ControlledUNet(unet, (control, 1.5, "edges"), (control, 0.5, "edges")).call(x, noise, condition);
        Assert.True((twice - both).abs().max().item<float>() < 1e-5);
        var other = new ControlledUNet(unet, (control, 1.5, "edges"), (control, 0.5, "depth")).call(x, noise, condition);
        Assert.True((twice - other).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void What_is_missing_or_does_not_fit_is_named()
    {
        using var scope = NewDisposeScope();
        var (unet, control, x, noise, condition) = Make();
        Assert.Contains("'sketch'", Assert.Throws<ArgumentException>(() => new ControlledUNet(unet, (control, 1, "sketch")).call(x, noise, condition)).Message, StringComparison.Ordinal);
        Assert.Contains("[2, 3, 16, 16]", Assert.Throws<ArgumentException>(() => control.Run(x, noise, condition.With(ControlNet.PictureSlot, rand(2, 3, 8, 8)))).Message, StringComparison.Ordinal);
        var larger = new ControlNet(new(Shape with { LayersPerBlock = 2 }) { ConditioningEmbeddingOutChannels = [4, 8] });
        Assert.Contains("another U-Net", Assert.Throws<ArgumentException>(() => new ControlledUNet(unet, (larger, 1, "edges")).call(x, noise, condition)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Added_conditions_are_added_to_the_embedding()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (plain, __, x, noise, condition) = Make();
        var xl = new UNet2DCondition(Shape with { AdditionEmbedType = "text_time", AdditionTimeEmbedDim = 4, ProjectionClassEmbeddingsInputDim = 3 + 6 * 4 });
        var weights = plain.state_dict();
        foreach (var (key, value) in xl.state_dict())
            if (weights.TryGetValue(key, out var same)) value.copy_(same);
            else if (key.StartsWith("add_embedding.linear_2", StringComparison.Ordinal)) value.zero_();
        var sizes = tensor(new float[,] { { 512, 768, 0, 0, 1024, 1024 }, { 1024, 1024, 64, 0, 1024, 1024 } });
        var told = condition.With(UNet2DCondition.TextVectorSlot, randn(2, 3)).With(UNet2DCondition.NumbersSlot, sizes);
        var without = plain.call(x, noise, condition);
        Assert.Equal(0, (xl.call(x, noise, told) - without).abs().max().item<float>());
        Stir(xl);
        var with = xl.call(x, noise, told);
        Assert.True((with - without).abs().max().item<float>() > 1e-4);
        // The numbers have their places: a crop at the top is none at the left.
        var swapped = xl.call(x, noise, told.With(UNet2DCondition.NumbersSlot, sizes.index_select(1, tensor(new long[] { 0, 1, 3, 2, 4, 5 }))));
        Assert.Equal(0, (swapped - with)[0].abs().max().item<float>());
        Assert.True((swapped - with)[1].abs().max().item<float>() > 1e-4);
        Assert.Contains("'text_vector'", Assert.Throws<ArgumentException>(() => xl.call(x, noise, condition)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 27", Assert.Throws<ArgumentException>(() => xl.call(x, noise, told.With(UNet2DCondition.TextVectorSlot, randn(2, 5)))).Message, StringComparison.Ordinal);
    }
}
