using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A generator of pictures and a discriminator, after DCGAN (Radford, Metz and Chintala 2016): convolutions alone, halving and doubling
/// by stride. Norms are of groups in the generator and absent in the discriminator, as a gradient penalty wants it.
/// </summary>
public sealed class Dcgan : nn.Module
{
    private readonly PictureDecoder generator;
    private readonly PictureEncoder discriminator;

    /// <summary>Networks with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Dcgan(DcganConfig config) : base(nameof(Dcgan))
    {
        (generator, discriminator) = (new(config), new(config, 1));
        RegisterComponents();
    }

    /// <summary>[N, latent] to pictures [N, C, H, W] in [−1, 1].</summary>
    public PictureDecoder Generator => generator;

    /// <summary>Pictures [N, C, H, W] to logits [N, 1], high for real ones.</summary>
    public PictureEncoder Discriminator => discriminator;
}

/// <summary>Vectors [N, latent] to pictures [N, C, H, W] in [−1, 1].</summary>
public sealed class PictureDecoder : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear;
    private readonly ModuleList<GroupNorm> norms = new();
    private readonly ModuleList<UpsampleConv2d> ups = new();
    private readonly Conv2d conv_out;
    private readonly long[] bottom;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public PictureDecoder(DcganConfig config) : base(nameof(PictureDecoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        int Channels(int level) => config.BaseWidth << level;
        bottom = [-1, Channels(config.Levels), config.Height >> config.Levels, config.Width >> config.Levels];
        linear = new(config.Latent, bottom[1] * bottom[2] * bottom[3]);
        for (int level = config.Levels; level > 0; level--)
        {
            norms.Add(new(8, Channels(level), 1e-5));
            ups.Add(new(Channels(level), Channels(level - 1)));
        }
        norms.Add(new(8, config.BaseWidth, 1e-5));
        conv_out = new(config.BaseWidth, config.Channels, 3, padding: 1);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor z)
    {
        using var scope = NewDisposeScope();
        var h = linear.call(z).view(bottom);
        for (int i = 0; i < ups.Count; i++) h = ups[i].call(norms[i].call(h).relu());
        return conv_out.call(norms[ups.Count].call(h).relu()).tanh().MoveToOuterDisposeScope();
    }
}

/// <summary>Pictures [N, C, H, W] to vectors [N, outputs]: a discriminator for one output, an encoder for more.</summary>
public sealed class PictureEncoder : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<Conv2d> downs = new();
    private readonly Linear linear;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public PictureEncoder(DcganConfig config, int outputs) : base(nameof(PictureEncoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        config.Validate();
        conv_in = new(config.Channels, config.BaseWidth, 3, padding: 1);
        for (int level = 0; level < config.Levels; level++) downs.Add(new(config.BaseWidth << level, config.BaseWidth << level + 1, 4, stride: 2, padding: 1));
        linear = new((long)(config.BaseWidth << config.Levels) * (config.Height >> config.Levels) * (config.Width >> config.Levels), outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = nn.functional.leaky_relu(conv_in.call(x), 0.2);
        foreach (var down in downs) h = nn.functional.leaky_relu(down.call(h), 0.2);
        return linear.call(h.flatten(1)).MoveToOuterDisposeScope();
    }
}
