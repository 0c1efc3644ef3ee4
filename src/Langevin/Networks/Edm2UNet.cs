using Langevin.Networks.Edm;
using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of EDM2 (Karras et al. 2024, configuration G), whose layers keep magnitudes by construction, with the state-dict keys of its
/// authors' <c>UNet</c>: those of a <c>Precond</c> behind the prefix <c>unet.</c>.
/// </summary>
/// <remarks>
/// <c>forward(x [N, C, H, W], noise [N], condition)</c> gives [N, C, H, W]; the noise is ln σ / 4. Labels are int64 [N], −1 for "no class"; slot
/// <c>vector</c> takes the class vectors themselves, [N, label_dim]. While it trains, each forward pass normalises the weights in place.
/// </remarks>
public sealed class Edm2UNet : Network
{
    private readonly Parameter out_gain;
    private readonly MagnitudeFourier emb_fourier;
    private readonly MagnitudeConv emb_noise, out_conv;
    private readonly MagnitudeConv? emb_label;
    private readonly NamedModules enc = new(), dec = new();

    /// <summary>A network as initialised: its answer is zero until it has learnt.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Edm2UNet(Edm2UNetConfig config) : base(nameof(Edm2UNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.ChannelMult.Count == 0 || config.ModelChannels < 1 || config.NumBlocks < 1)
            throw new ArgumentException("Edm2UNet: channel_mult, model_channels and num_blocks must be positive.", nameof(config));
        Config = config;
        int[] channels = [.. config.ChannelMult.Select(m => m * config.ModelChannels)];
        int levels = channels.Length, features = (config.ChannelMultNoise ?? config.ChannelMult[0]) * config.ModelChannels, width = (config.ChannelMultEmb ?? config.ChannelMult.Max()) * config.ModelChannels;
        out_gain = nn.Parameter(zeros([]));
        emb_fourier = new(features);
        emb_noise = new(features, width);
        if (config.LabelDim > 0) emb_label = new(config.LabelDim, width);
        Edm2Block Block(int from, int to, bool decodes, Direction direction = Direction.None, bool attention = false) => new(from, to, width, config, decodes, direction, attention);

        int current = config.ImgChannels + 1; // and a channel of ones
        var skips = new Stack<int>();
        for (int level = 0; level < levels; level++)
        {
            int side = config.ImgResolution >> level;
            if (level == 0) enc.Add($"{side}x{side}_conv", new MagnitudeConv(current, current = channels[0], 3, 3));
            else enc.Add($"{side}x{side}_down", Block(current, current, false, Direction.Down));
            skips.Push(current);
            for (int i = 0; i < config.NumBlocks; i++)
            {
                enc.Add($"{side}x{side}_block{i}", Block(current, current = channels[level], false, attention: config.AttnResolutions.Contains(side)));
                skips.Push(current);
            }
        }
        for (int level = levels - 1; level >= 0; level--)
        {
            int side = config.ImgResolution >> level;
            if (level == levels - 1)
            {
                dec.Add($"{side}x{side}_in0", Block(current, current, true, attention: true));
                dec.Add($"{side}x{side}_in1", Block(current, current, true));
            }
            else dec.Add($"{side}x{side}_up", Block(current, current, true, Direction.Up));
            for (int i = 0; i <= config.NumBlocks; i++)
                dec.Add($"{side}x{side}_block{i}", Block(current + skips.Pop(), current = channels[level], true, attention: config.AttnResolutions.Contains(side)));
        }
        out_conv = new(current, config.ImgChannels, 3, 3);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public Edm2UNetConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.ImgChannels, 1 << (Config.ChannelMult.Count - 1), nameof(Edm2UNet));
        Check.Noise(noise, x, nameof(Edm2UNet));
        using var scope = NewDisposeScope();
        var embedding = emb_noise.Run(emb_fourier.call(noise.to(x.dtype)));
        if (EdmMapping.Classes(condition, Config.LabelDim, x, 0, nameof(Edm2UNet)) is { } classes)
            embedding = Magnitudes.Sum(embedding, emb_label!.Run(classes * Math.Sqrt(Config.LabelDim)), Config.LabelBalance);
        embedding = Magnitudes.SiLU(embedding);
        var h = cat([x, ones_like(x.narrow(1, 0, 1))], 1);
        var skips = new Stack<Tensor>();
        foreach (var (_, module) in enc.Items) skips.Push(h = module is Edm2Block block ? block.Run(h, embedding) : ((MagnitudeConv)module).Run(h));
        foreach (var (name, module) in dec.Items)
        {
            if (name.Contains("block", StringComparison.Ordinal)) h = Magnitudes.Cat(h, skips.Pop(), Config.ConcatBalance);
            h = ((Edm2Block)module).Run(h, embedding);
        }
        return out_conv.Run(h, out_gain).MoveToOuterDisposeScope();
    }
}

/// <summary>How sure EDM2's network is at each noise level, ln of a variance, which weighs its loss while it trains (Karras et al. 2024, section 2.2); keys <c>logvar_…</c> of its authors' <c>Precond</c>.</summary>
public sealed class Edm2Uncertainty : nn.Module<Tensor, Tensor>
{
    private readonly MagnitudeFourier logvar_fourier;
    private readonly MagnitudeConv logvar_linear;

    /// <summary>As initialised.</summary>
    public Edm2Uncertainty(Edm2UNetConfig config) : base(nameof(Edm2Uncertainty))
    {
        ArgumentNullException.ThrowIfNull(config);
        (logvar_fourier, logvar_linear) = (new(config.LogvarChannels), new(config.LogvarChannels, 1));
        RegisterComponents();
    }

    /// <summary>u of noise levels ln σ / 4, [N] to [N].</summary>
    public override Tensor forward(Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(noise);
        using var scope = NewDisposeScope();
        return logvar_linear.Run(logvar_fourier.call(noise)).squeeze(1).MoveToOuterDisposeScope();
    }
}
