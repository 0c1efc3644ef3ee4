using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of DDPM (Ho et al. 2020), ADM (Dhariwal and Nichol 2021) and NCSN++ (Song et al. 2021) for images, with the
/// structure, options and state-dict keys of diffusers' <c>UNet2DModel</c>.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, H, W], noise [N], condition)</c> gives [N, out_channels, H, W]; height and width must be
/// multiples of 2^(levels − 1). The condition's labels are int64 [N]; −1 ("no class") reads the table's last row.
/// </remarks>
public sealed class UNet2D : Network
{
    private readonly Conv2d conv_in, conv_out;
    private readonly nn.Module<Tensor, Tensor>? time_proj;
    private readonly TimestepEmbedding time_embedding;
    private readonly nn.Module<Tensor, Tensor>? class_embedding;
    private readonly ModuleList<DownBlock2D> down_blocks = new();
    private readonly MidBlock2D? mid_block;
    private readonly ModuleList<UpBlock2D> up_blocks = new();
    private readonly GroupNorm conv_norm_out;
    private readonly Activation act;
    private readonly bool fullGroups;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="zeroOutput">Whether the last convolution starts at zero, so that the untrained network answers zero.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public UNet2D(UNet2DConfig config, bool zeroOutput = false) : base(nameof(UNet2D))
    {
        config.Validate();
        Config = config;
        act = Activation.Of(config.ActFn);
        var channels = config.BlockOutChannels;
        int first = channels[0], levels = channels.Count;
        var options = new BlockOptions(config.EmbeddingWidth, config.NormNumGroups, config.NormEps, config.ResnetTimeScaleShift == "scale_shift", config.Dropout, act);
        AttentionFactory Attention(int level, bool skip, double scale, long? groups) =>
            () => new AttentionBlock(channels[level], config.AttentionHeadDim ?? channels[level], skip ? 32 : groups, options.Epsilon, scale);
        AttentionFactory? OfKind(BlockKind kind, int level) =>
            kind.Attention ? Attention(level, kind.Skip, kind.Skip ? Math.Sqrt(2) : 1, options.GroupsOf(channels[level])) : null;

        fullGroups = channels.Min(c => c / options.GroupsOf(c)) >= 16;

        conv_in = new(config.InChannels, first, 3, padding: 1);
        time_proj = config.TimeEmbeddingType switch
        {
            "fourier" => new GaussianFourierProjection(first, scale: 16),
            "learned" => new Embedding(config.NumTrainTimesteps!.Value, first),
            _ => null,
        };
        int features = config.TimeEmbeddingType == "fourier" ? 2 * first : first;
        time_embedding = new(features, config.EmbeddingWidth, Activation.SiLU);
        class_embedding = config.ClassEmbedType == "timestep" ? new TimestepEmbedding(features, config.EmbeddingWidth, Activation.SiLU)
            : config.ReadsLabels ? new Embedding(config.NumClassEmbeds!.Value, config.EmbeddingWidth) : null;

        for (int i = 0; i < levels; i++)
        {
            var kind = BlockKind.OfDown(config.DownBlockTypes[i], config.DownsampleType);
            down_blocks.Add(new(kind, channels[Math.Max(i - 1, 0)], channels[i],
                config.LayersPerBlock, halve: i < levels - 1, OfKind(kind, i), config.DownsamplePadding, config.InChannels, options));
        }
        long? bottomGroups = config.AttnNormNumGroups ?? (options.ScaleShift ? (long?)null : options.GroupsOf(channels[^1]));
        if (config.MidBlockType is not null)
            mid_block = new(channels[^1], options, config.AddAttention ? Attention(levels - 1, false, config.MidBlockScaleFactor, bottomGroups) : null, config.MidBlockScaleFactor);
        for (int i = 0; i < levels; i++)
        {
            int level = levels - 1 - i;
            var kind = BlockKind.OfUp(config.UpBlockTypes[i], config.UpsampleType);
            up_blocks.Add(new(kind, channels[Math.Min(level + 1, levels - 1)], channels[Math.Max(level - 1, 0)], channels[level],
                config.LayersPerBlock + 1, twice: level > 0, OfKind(kind, level), config.OutChannels, options));
        }
        conv_norm_out = new(options.GroupsOf(first), first, config.NormEps);
        conv_out = new(first, config.OutChannels, 3, padding: 1);
        if (zeroOutput) conv_out.Zero();
        RegisterComponents();
        SpatialAttention.NameAll(this);
    }

    /// <summary>The shape of the network.</summary>
    public UNet2DConfig Config { get; }

    /// <summary>
    /// Whether images are laid out with the channel running fastest in memory; null to choose. The result is the same up to
    /// rounding. CPU convolutions like that layout, but its group norm is slow where a group has few channels, so the choice
    /// falls on it for at least 16 channels a group on the CPU.
    /// </summary>
    public bool? ChannelsLast { get; set; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        int multiple = 1 << (Config.BlockOutChannels.Count - 1);
        Check.Image(x, Config.InChannels, multiple, nameof(UNet2D));
        Check.Noise(noise, x, nameof(UNet2D));
        using var scope = NewDisposeScope();
        var embedding = Embed(noise, condition, x);
        var image = Config.CenterInputSample ? 2 * x - 1 : x;
        if (ChannelsLast ?? (fullGroups && x.device_type == TorchSharp.DeviceType.CPU)) image = Layout.ChannelsLast(image);
        if (ComputeType is { } type) image = image.to(type);

        var attention = new AttentionInput(condition.Attention);
        var states = new Stack<Tensor>();
        states.Push(conv_in.call(image));
        foreach (var block in down_blocks) image = block.Run(states.Peek(), embedding, image, states, attention);
        // The decoder disposes what it is given, and still needs the last state itself.
        var h = mid_block is null ? states.Peek().alias() : mid_block.call(states.Peek(), embedding, attention);
        Tensor? built = null;
        foreach (var block in up_blocks) (h, built) = block.Run(h, embedding, built, states, attention);

        var y = conv_out.call(act.Consume(conv_norm_out.call(h)).to(x.dtype));
        if (built is not null) y = y.add_(built.to(x.dtype));
        if (Config.TimeEmbeddingType == "fourier") y = y / noise.to(y.dtype).view(-1, 1, 1, 1);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>The activated embedding of noise level and class: [N, E].</summary>
    private Tensor Embed(Tensor noise, Condition condition, Tensor x)
    {
        var embedding = time_embedding.call(Features(noise, x.dtype));
        if (ClassEmbedding(condition, x) is { } part) embedding = embedding + part;
        return act.Consume(embedding);
    }

    private Tensor Features(Tensor t, ScalarType type) => time_proj switch
    {
        Embedding table => table.call(Check.Index(t.to(ScalarType.Int64), table.Rows, "noise step", nameof(UNet2D))),
        { } fourier => fourier.call(t),
        null => NoiseFeatures.Sinusoidal(type == ScalarType.Float64 ? t.to(type) : t, Config.BlockOutChannels[0], Config.FreqShift, Config.FlipSinToCos).to(type),
    };

    private Tensor? ClassEmbedding(Condition condition, Tensor x)
    {
        if (Config.ClassEmbedType == "identity")
            return Check.Vector(condition, Config.EmbeddingWidth, x, nameof(UNet2D));
        if (class_embedding is null)
        {
            if (condition.Label is not null) throw new ArgumentException("UNet2D: labels were given to a network without classes: set num_class_embeds, or drop the labels.", nameof(condition));
            return null;
        }
        if (class_embedding is Embedding table) return table.call(Check.ClassRow(condition, x, table.Rows, nameof(UNet2D)));
        var label = Check.Label(condition, x, nameof(UNet2D));
        // The features of a label have no row for "no class": it adds nothing.
        return class_embedding.call(Features(label, x.dtype)) * label.ne(-1).to(x.dtype).unsqueeze(1);
    }
}
