using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Pictures to the codes that a latent model denoises, and back: an <c>AutoencoderKL</c>, <c>VQModel</c> or <c>AutoencoderTiny</c> with its scale, one picture at a time and in tiles where it is large.</summary>
public sealed class PictureCodec : IDisposable
{
    private readonly nn.Module network;
    private readonly Func<Tensor, Tensor> encode, decode;

    private PictureCodec(nn.Module network, Func<Tensor, Tensor> encode, Func<Tensor, Tensor> decode, int factor, int channels, int pictureChannels)
    {
        (this.network, this.encode, this.decode) = (network, encode, decode);
        (Factor, Channels, PictureChannels) = (factor, channels, pictureChannels);
    }

    /// <summary>How much smaller than a picture its code is.</summary>
    public int Factor { get; }

    /// <summary>Channels of a code.</summary>
    public int Channels { get; }

    /// <summary>Channels of a picture.</summary>
    public int PictureChannels { get; }

    /// <summary>Side of the tiles in which larger codes are decoded and larger pictures, by <see cref="Factor"/>, encoded; null for none.</summary>
    public int? TileSize { get; set; }

    /// <summary>Reads a part.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="part">Its name: vae or vqvae.</param>
    /// <param name="type">Type in which weights are kept; null for single precision.</param>
    /// <exception cref="InvalidDataException">The part is missing, damaged or of another architecture.</exception>
    public static PictureCodec Load(ModelFolder folder, string part, ScalarType? type = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string config = folder.Config(part), kind = folder.Parts[part];
        switch (kind)
        {
            case "AutoencoderKL":
            {
                var net = folder.Load(part, () => new AutoencoderKL(AutoencoderKLConfig.Parse(config)), type, DiffusersKeys.Modern);
                double scale = net.Config.ScalingFactor, shift = net.Config.ShiftFactor ?? 0;
                return new(net, x => { using var code = net.Encode(x); return (code.Mean - shift) * scale; }, z => net.Decode(z / scale + shift), 1 << net.Config.BlockOutChannels.Count - 1, net.Config.LatentChannels, net.Config.InChannels);
            }
            case "VQModel":
            {
                var net = folder.Load(part, () => new VQModel(VQModelConfig.Parse(config)), type, DiffusersKeys.Modern);
                double scale = net.Config.ScalingFactor;
                return new(net, x => net.Encode(x) * scale, z => net.Decode(z / scale), 1 << net.Config.BlockOutChannels.Count - 1, net.Config.VqEmbedDim ?? net.Config.LatentChannels, net.Config.InChannels);
            }
            case "AutoencoderTiny":
            {
                var net = folder.Load(part, () => new AutoencoderTiny(AutoencoderTinyConfig.Parse(config)), type);
                double scale = net.Config.ScalingFactor;
                return new(net, x => net.Encode(x) * scale, z => net.Decode(z / scale), net.Factor, net.Config.LatentChannels, net.Config.InChannels);
            }
            default: throw new InvalidDataException($"'{folder.Folder(part)}' is a {kind}; AutoencoderKL, VQModel and AutoencoderTiny are known.");
        }
    }

    /// <summary>The means of the codes of pictures [N, C, H, W] in [−1, 1], at the scale of the denoised ones; the caller's.</summary>
    public Tensor Encode(Tensor pictures) => OneByOne(pictures, p => TileSize is { } side ? Tiles.Map(p, side * Factor, Factor, 1.0 / Factor, encode) : encode(p));

    /// <summary>The pictures of codes, in [−1, 1]; the caller's.</summary>
    public Tensor Decode(Tensor codes) => OneByOne(codes, c => (TileSize is { } side ? Tiles.Map(c, side, 1, Factor, decode) : decode(c)).clamp(-1, 1));

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();

    private static Tensor OneByOne(Tensor x, Func<Tensor, Tensor> map)
    {
        ArgumentNullException.ThrowIfNull(x);
        using var still = no_grad();
        using var scope = NewDisposeScope();
        return cat([.. x.split(1).Select(one => WrappedTensorDisposeScope(() => map(one)))]).MoveToOuterDisposeScope();
    }
}
