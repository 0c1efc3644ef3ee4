using Langevin.Networks.Edm;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// DDPM++ and NCSN++ (Song et al. 2021) as EDM (Karras et al. 2022) has them, with the state-dict keys of its <c>SongUNet</c>.
/// </summary>
/// <remarks>
/// <c>forward(x [N, C, H, W], noise [N], condition)</c>; EDM gives ln σ / 4 as noise. Height and width must be multiples of
/// 2^(levels − 1). Classes come as labels int64 [N] (−1 is the zero vector) or as vectors [N, label_dim] in the condition's
/// slot <c>vector</c>, augmentation parameters in its slot <c>augment</c>.
/// </remarks>
public sealed class SongUNet : Network
{
    private static readonly double HalfRoot = Math.Sqrt(0.5);

    private readonly FourierEmbedding? map_noise;
    private readonly EdmLinear map_layer0, map_layer1;
    private readonly EdmLinear? map_label, map_augment;
    private readonly NamedModules enc = new(), dec = new();
    private readonly int noiseChannels;

    /// <summary>A network with EDM's initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public SongUNet(SongUNetConfig config) : base(nameof(SongUNet))
    {
        Config = config;
        Require(config.EmbeddingType is "positional" or "fourier", $"embedding_type '{config.EmbeddingType}' is unknown: use positional or fourier.");
        Require(config.EncoderType is "standard" or "skip" or "residual", $"encoder_type '{config.EncoderType}' is unknown: use standard, skip or residual.");
        Require(config.DecoderType is "standard" or "skip", $"decoder_type '{config.DecoderType}' is unknown: use standard or skip.");
        Require(config.ChannelMult.Count > 0 && config.ModelChannels > 0 && config.NumBlocks > 0, "channel_mult, model_channels and num_blocks must be positive.");
        Require(config.ResampleFilter.Count > 0 && config.ResampleFilter.Count % 2 == 0, "resample_filter must have an even number of taps.");

        int channels = config.ModelChannels, width = channels * config.ChannelMultEmb, levels = config.ChannelMult.Count;
        noiseChannels = channels * config.ChannelMultNoise;
        var init = new WeightInit(Uniform: true, Xavier: true);
        var zero = init with { Weight = 1e-5 };
        var options = new UNetBlockOptions(width, config.Dropout, HalfRoot, 1e-6, Heads: 1, config.ResampleFilter,
            ProjectResampled: true, Adaptive: false, init, zero, init with { Weight = Math.Sqrt(0.2) });

        if (config.EmbeddingType == "fourier") map_noise = new(noiseChannels, scale: 16);
        if (config.LabelDim > 0) map_label = new(config.LabelDim, noiseChannels, init);
        if (config.AugmentDim > 0) map_augment = new(config.AugmentDim, noiseChannels, init, bias: false);
        map_layer0 = new(noiseChannels, width, init);
        map_layer1 = new(width, width, init);

        int current = config.InChannels, image = config.InChannels;
        var skips = new Stack<int>();
        for (int level = 0; level < levels; level++)
        {
            int side = config.ImgResolution >> level;
            string at = $"{side}x{side}_";
            bool attend = config.AttnResolutions.Contains(side);
            if (level == 0)
                enc.Add(at + "conv", new EdmConv2d(current, current = channels, 3, init));
            else
            {
                enc.Add(at + "down", new UNetBlock(current, current, options, Direction.Down));
                if (config.EncoderType == "skip")
                {
                    enc.Add(at + "aux_down", new EdmConv2d(image, image, 0, init, Direction.Down, config.ResampleFilter));
                    enc.Add(at + "aux_skip", new EdmConv2d(image, current, 1, init));
                }
                if (config.EncoderType == "residual")
                {
                    enc.Add(at + "aux_residual", new EdmConv2d(image, current, 3, init, Direction.Down, config.ResampleFilter, filterLast: true));
                    image = current;
                }
            }
            skips.Push(current);
            for (int i = 0; i < config.NumBlocks; i++)
            {
                enc.Add(at + $"block{i}", new UNetBlock(current, current = channels * config.ChannelMult[level], options, attention: attend));
                skips.Push(current);
            }
        }

        for (int level = levels - 1; level >= 0; level--)
        {
            int side = config.ImgResolution >> level;
            string at = $"{side}x{side}_";
            bool bottom = level == levels - 1, attend = config.AttnResolutions.Contains(side);
            if (bottom)
            {
                dec.Add(at + "in0", new UNetBlock(current, current, options, attention: true));
                dec.Add(at + "in1", new UNetBlock(current, current, options));
            }
            else
                dec.Add(at + "up", new UNetBlock(current, current, options, Direction.Up));
            for (int i = 0; i <= config.NumBlocks; i++)
                dec.Add(at + $"block{i}", new UNetBlock(current + skips.Pop(), current = channels * config.ChannelMult[level], options, attention: attend && i == config.NumBlocks));
            if (config.DecoderType != "skip" && level > 0) continue;
            if (config.DecoderType == "skip" && !bottom)
                dec.Add(at + "aux_up", new EdmConv2d(config.OutChannels, config.OutChannels, 0, init, Direction.Up, config.ResampleFilter));
            dec.Add(at + "aux_norm", options.Norm(current));
            dec.Add(at + "aux_conv", new EdmConv2d(current, config.OutChannels, 3, zero));
        }
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public SongUNetConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.ChannelMult.Count - 1), nameof(SongUNet));
        Check.Noise(noise, x, nameof(SongUNet));
        using var scope = NewDisposeScope();
        var embedding = Embed(noise.to(x.dtype), condition, x);

        var skips = new Stack<Tensor>();
        Tensor h = ComputeType is { } type ? x.to(type) : x, aux = h;
        foreach (var (name, module) in enc.Items)
        {
            if (name.EndsWith("aux_down", StringComparison.Ordinal)) { aux = Run(module, aux); continue; }
            bool skip = name.EndsWith("aux_skip", StringComparison.Ordinal), residual = name.EndsWith("aux_residual", StringComparison.Ordinal);
            if (skip || residual)
            {
                h = Run(module, aux).add_(skips.Pop());
                if (residual) aux = h = h.mul_(HalfRoot);
            }
            else
                h = Run(module, h, embedding);
            skips.Push(h);
        }

        // The decoder disposes what it has read, and reads the last state twice.
        h = h.alias();
        Tensor? built = null, normed = null;
        foreach (var (name, module) in dec.Items)
            if (name.EndsWith("aux_up", StringComparison.Ordinal)) built = Run(module, built!);
            else if (name.EndsWith("aux_norm", StringComparison.Ordinal)) normed = Activation.SiLU.Consume(Run(module, h)).to(x.dtype);
            else if (name.EndsWith("aux_conv", StringComparison.Ordinal)) built = built is null ? Run(module, normed!) : Run(module, normed!).add_(built);
            else
            {
                using var below = h;
                if (((UNetBlock)module).Inputs == h.size(1)) { h = Run(module, h, embedding); continue; }
                using var state = skips.Pop();
                using var joined = cat([h, state], 1);
                h = Run(module, joined, embedding);
            }
        return built!.MoveToOuterDisposeScope();
    }

    private Tensor Embed(Tensor noise, Condition condition, Tensor x)
    {
        var act = Activation.SiLU;
        // EDM makes cosines before sines and swaps them here.
        var embedding = map_noise is null
            ? NoiseFeatures.Sinusoidal(noise, noiseChannels, shift: 1, cosineFirst: false).to(x.dtype)
            : map_noise.call(noise);
        if (EdmMapping.Classes(condition, Config.LabelDim, x, training ? Config.LabelDropout : 0, nameof(SongUNet)) is { } classes)
            embedding = embedding + map_label!.call(classes * Math.Sqrt(Config.LabelDim));
        if (EdmMapping.Augment(condition, Config.AugmentDim, x, nameof(SongUNet)) is { } augment)
            embedding = embedding + map_augment!.call(augment);
        return act.Consume(map_layer1.call(act.Consume(map_layer0.call(embedding))));
    }

    private static Tensor Run(nn.Module module, Tensor x, Tensor? embedding = null) => module switch
    {
        UNetBlock block => block.call(x, embedding!),
        nn.Module<Tensor, Tensor> layer => layer.call(x),
        _ => throw new InvalidOperationException($"SongUNet holds a {module.GetName()}."),
    };

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException("SongUNet: " + message);
    }
}
