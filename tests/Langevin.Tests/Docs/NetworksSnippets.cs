using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Processes;
using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/networks.md.</summary>
public class NetworksSnippets
{
    [Fact]
    public void A_text_to_image_model_is_made_of_its_parts()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(1);
        using var text = new ClipText(new() { HiddenSize = 32, IntermediateSize = 64, NumHiddenLayers = 2, NumAttentionHeads = 2 });
        using var unet = new UNet2DCondition(new()
        {
            BlockOutChannels = [32, 64], LayersPerBlock = 1, CrossAttentionDim = 32, AttentionHeadDim = [2],
            DownBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"],
        });
        using var autoencoder = new AutoencoderTiny(new());

        Tensor tokens = tensor(new long[,] { { 49406, 320, 1125, 539, 320, 2368, 49407 } });     // "a photo of a cat"
        var condition = Condition.None.With(UNet2DCondition.ContextSlot, text.Encode(tokens).Last);
        var process = DiscreteProcess.FromBetas(Betas.ScaledLinear(1000, 0.00085, 0.012));
        var denoiser = new NetworkDenoiser(unet, process, new PlainPreconditioning());
        Tensor code = new Ddim().Run(denoiser, randn(1, 4, 8, 8), TimeGrid.Uniform(process, 4, toData: true), condition);
        Tensor picture = autoencoder.Decode(code);                                               // [1, 3, 64, 64]
        Assert.Equal([1, 3, 64, 64], picture.shape);
        Assert.True(picture.isfinite().all().item<bool>());
        // What the text says reaches the picture.
        var other = condition.With(UNet2DCondition.ContextSlot, text.Encode(tensor(new long[,] { { 49406, 320, 1929, 49407 } })).Last);
        manual_seed(2);
        var x = randn(1, 4, 8, 8);
        var t = Times.Each([500.0]);
        Assert.True((denoiser.Denoise(x, t, condition).X0 - denoiser.Denoise(x, t, other).X0).abs().max().item<float>() > 1e-6);
    }
}
