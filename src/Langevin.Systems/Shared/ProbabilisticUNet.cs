using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>
/// Segmentations that differ by a hidden vector (Kohl et al. 2018, equations 1 to 4): z ~ N(μ(x), σ²(x)) is drawn for the scan x and shown to a
/// U-Net beside it. In training z comes from an encoder that sees the mask too. Small: z enters with the scan and not before the last layers.
/// </summary>
internal sealed class ProbabilisticUNet : nn.Module
{
    private const int Latent = 6;
    private readonly PictureEncoder prior, posterior;
    private readonly UNet2D unet;

    /// <summary>A network for square grey scans.</summary>
    public ProbabilisticUNet(int size) : base(nameof(ProbabilisticUNet))
    {
        PictureEncoder Encoder(int channels) => new(new() { Channels = channels, Height = size, Width = size, BaseWidth = 8, Levels = 3 }, 2 * Latent);
        (prior, posterior) = (Encoder(1), Encoder(2));
        unet = new(SmallNetworks.Image(1, size, size, inputs: 1 + Latent, baseWidth: 8));
        RegisterComponents();
    }

    /// <summary>The negative bound, per pixel: −E log p(mask | x, z) + KL(q(z | x, mask) ‖ p(z | x)).</summary>
    /// <param name="scan">[N, 1, H, W].</param>
    /// <param name="mask">[N, 1, H, W], 0 or 1.</param>
    public Tensor Loss(Tensor scan, Tensor mask)
    {
        var ((pMean, pLog), (qMean, qLog)) = (Moments(prior, scan), Moments(posterior, cat([scan, mask * 2 - 1], 1)));
        var divergence = (pLog - qLog + (((2 * qLog).exp() + (qMean - pMean).square()) / (2 * (2 * pLog).exp())) - 0.5).sum(1).mean();
        var logits = Logits(scan, qMean + qLog.exp() * randn_like(qMean));
        return nn.functional.binary_cross_entropy_with_logits(logits, mask) + divergence / mask[0].numel();
    }

    /// <summary>Readings of scans, true where the lesion is: z is drawn for each.</summary>
    public Tensor Draw(Tensor scan, Generator generator)
    {
        var (mean, log) = Moments(prior, scan);
        return Logits(scan, mean + log.exp() * randn(mean.shape, generator: generator)).gt(0);
    }

    private Tensor Logits(Tensor scan, Tensor z) =>
        unet.call(cat([scan, z[.., .., TensorIndex.None, TensorIndex.None].expand(-1, -1, scan.size(2), scan.size(3))], 1), zeros(scan.size(0)), Condition.None);

    private static (Tensor Mean, Tensor Log) Moments(PictureEncoder encoder, Tensor seen)
    {
        var both = encoder.call(seen).chunk(2, 1);
        return (both[0], both[1].clamp(-5, 5));
    }
}
