using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The autoencoder whose codes are vectors of a codebook (van den Oord et al. 2017; Rombach et al. 2022, section 3.1), with the
/// structure, options and state-dict keys of diffusers' <c>VQModel</c>.
/// </summary>
public sealed class VQModel : nn.Module<Tensor, Tensor>
{
    private readonly Encoder2D encoder;
    private readonly Conv2d quant_conv, post_quant_conv;
    private readonly VectorQuantizer quantize;
    private readonly Decoder2D decoder;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public VQModel(VQModelConfig config) : base(nameof(VQModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var shape = config.Shape();
        long latent = config.LatentChannels, width = config.VqEmbedDim ?? latent;
        encoder = new(shape, config.InChannels, latent);
        quant_conv = new(latent, width, 1);
        quantize = new(config.NumVqEmbeddings, width);
        post_quant_conv = new(width, latent, 1);
        decoder = new(shape, latent, config.OutChannels);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public VQModelConfig Config { get; }

    /// <summary>Codes [N, vq_embed_dim, H/f, W/f] of images [N, C, H, W], before they are rounded to the codebook's vectors.</summary>
    public Tensor Encode(Tensor x)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.BlockOutChannels.Count - 1), nameof(VQModel));
        using var scope = NewDisposeScope();
        return quant_conv.call(encoder.call(x)).MoveToOuterDisposeScope();
    }

    /// <summary>Codes rounded to the codebook's vectors.</summary>
    public QuantizedCode Quantize(Tensor z)
    {
        Check.Image(z, Config.VqEmbedDim ?? Config.LatentChannels, 1, nameof(VQModel));
        return quantize.Round(z);
    }

    /// <summary>Images of codes, as they are given: round them first.</summary>
    public Tensor DecodeRounded(Tensor z)
    {
        Check.Image(z, Config.VqEmbedDim ?? Config.LatentChannels, 1, nameof(VQModel));
        using var scope = NewDisposeScope();
        return decoder.call(post_quant_conv.call(z)).MoveToOuterDisposeScope();
    }

    /// <summary>Images of codes, rounded first: the codebook belongs to the decoder, so that diffusion goes on between its vectors.</summary>
    public Tensor Decode(Tensor z)
    {
        using var code = Quantize(z);
        return DecodeRounded(code.Values);
    }

    /// <summary>Images from their rounded codes.</summary>
    public override Tensor forward(Tensor x)
    {
        using var z = Encode(x);
        return Decode(z);
    }
}

/// <summary>Codes rounded to the vectors of a codebook.</summary>
/// <remarks>
/// The paper's loss adds Codebook + 0.25 Commitment (van den Oord et al. 2017, equation 3); diffusers' class has the weights the other
/// way round, as latent diffusion's code does unless told.
/// </remarks>
/// <param name="Values">[N, D, H, W]; their gradient passes to the code as it was (straight through).</param>
/// <param name="Indices">int64 [N, H, W]: which vector each place has.</param>
/// <param name="Codebook">Mean ‖e − sg(z)‖², a scalar that moves the vectors to the codes.</param>
/// <param name="Commitment">Mean ‖z − sg(e)‖², a scalar of the same value that moves the codes to the vectors.</param>
/// <param name="Perplexity">exp of the entropy of the vectors' use in this batch, a scalar from 1 to K.</param>
public sealed record QuantizedCode(Tensor Values, Tensor Indices, Tensor Codebook, Tensor Commitment, Tensor Perplexity) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Values.Dispose();
        Indices.Dispose();
        Codebook.Dispose();
        Commitment.Dispose();
        Perplexity.Dispose();
    }
}

/// <summary>Rounding to the nearest of K vectors, van den Oord et al. 2017, equations 1 to 3.</summary>
internal sealed class VectorQuantizer : nn.Module
{
    private readonly Embedding embedding;

    public VectorQuantizer(long count, long width) : base(nameof(VectorQuantizer))
    {
        embedding = new(count, width);
        embedding.Spread(1.0 / count);
        RegisterComponents();
    }

    public QuantizedCode Round(Tensor z)
    {
        using var scope = NewDisposeScope();
        var places = z.permute(0, 2, 3, 1).contiguous();
        var rows = places.view(-1, z.size(1));
        Tensor index;
        using (no_grad()) index = cdist(rows, embedding.Table).argmin(1);
        var values = embedding.call(index).view(places.shape);
        var (codebook, commitment) = ((values - places.detach()).square().mean(), (places - values.detach()).square().mean());
        var straight = (places + (values - places).detach()).permute(0, 3, 1, 2).contiguous();
        var share = index.bincount(null!, embedding.Rows).to(ScalarType.Float64) / index.numel();
        var perplexity = (-(share * share.clamp_min(1e-300).log()).sum()).exp();
        return new(straight.MoveToOuterDisposeScope(), index.view(z.size(0), z.size(2), z.size(3)).MoveToOuterDisposeScope(), codebook.MoveToOuterDisposeScope(), commitment.MoveToOuterDisposeScope(), perplexity.MoveToOuterDisposeScope());
    }
}
