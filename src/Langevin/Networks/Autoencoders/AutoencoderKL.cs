using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The autoencoder of latent diffusion whose codes are drawn from Gaussians that are held near the standard one (Rombach et al. 2022,
/// section 3.1 and appendix G), with the structure, options and state-dict keys of diffusers' <c>AutoencoderKL</c>.
/// </summary>
public sealed class AutoencoderKL : nn.Module<Tensor, Tensor>
{
    private readonly Encoder2D encoder;
    private readonly Decoder2D decoder;
    private readonly Conv2d? quant_conv, post_quant_conv;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public AutoencoderKL(AutoencoderKLConfig config) : base(nameof(AutoencoderKL))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var shape = config.Shape();
        long latent = config.LatentChannels;
        encoder = new(shape, config.InChannels, 2 * latent);
        decoder = new(shape, latent, config.OutChannels);
        if (config.UseQuantConv) quant_conv = new(2 * latent, 2 * latent, 1);
        if (config.UsePostQuantConv) post_quant_conv = new(latent, latent, 1);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public AutoencoderKLConfig Config { get; }

    /// <summary>The distribution of the code of images [N, C, H, W]; height and width must be multiples of 2^(levels − 1).</summary>
    public LatentGaussian Encode(Tensor x)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.BlockOutChannels.Count - 1), nameof(AutoencoderKL));
        using var scope = NewDisposeScope();
        var h = encoder.call(x);
        var parts = (quant_conv is null ? h : quant_conv.call(h)).chunk(2, 1);
        return new(parts[0].MoveToOuterDisposeScope(), parts[1].clamp(-30, 20).MoveToOuterDisposeScope());
    }

    /// <summary>Images [N, C, f h, f w] of codes [N, latent_channels, h, w].</summary>
    public Tensor Decode(Tensor z)
    {
        Check.Image(z, Config.LatentChannels, 1, nameof(AutoencoderKL));
        using var scope = NewDisposeScope();
        return decoder.call(post_quant_conv is null ? z : post_quant_conv.call(z)).MoveToOuterDisposeScope();
    }

    /// <summary>Images from their codes' means.</summary>
    public override Tensor forward(Tensor x)
    {
        using var code = Encode(x);
        return Decode(code.Mean);
    }
}

/// <summary>Independent Gaussians, one a number of a code.</summary>
/// <param name="Mean">[N, ...].</param>
/// <param name="LogVariance">Of the same shape.</param>
public sealed record LatentGaussian(Tensor Mean, Tensor LogVariance) : IDisposable
{
    /// <summary>A draw, Mean + exp(½ LogVariance) · noise, differentiable in both; noise is libtorch's own unless given.</summary>
    public Tensor Sample(Tensor? noise = null) => WrappedTensorDisposeScope(() => Mean + (0.5 * LogVariance).exp() * (noise ?? randn_like(Mean)));

    /// <summary>KL divergence from the standard Gaussian in nats, [N].</summary>
    public Tensor KullbackLeibler() => WrappedTensorDisposeScope(() => 0.5 * (Mean.square() + LogVariance.exp() - 1 - LogVariance).flatten(1).sum(1));

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Mean.Dispose();
        LogVariance.Dispose();
    }
}
