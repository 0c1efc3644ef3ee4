using Langevin.Networks.Edm;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// ADM (Dhariwal and Nichol 2021) as EDM (Karras et al. 2022) has it, with the state-dict keys of its <c>DhariwalUNet</c>.
/// </summary>
/// <remarks>Arguments as for <see cref="SongUNet"/>.</remarks>
public sealed class DhariwalUNet : Network
{
    private readonly EdmLinear map_layer0, map_layer1;
    private readonly EdmLinear? map_label, map_augment;
    private readonly NamedModules enc = new(), dec = new();
    private readonly GroupNorm out_norm;
    private readonly EdmConv2d out_conv;

    /// <summary>A network with EDM's initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public DhariwalUNet(DhariwalUNetConfig config) : base(nameof(DhariwalUNet))
    {
        if (config.ChannelMult.Count == 0 || config.ModelChannels < 1 || config.NumBlocks < 1)
            throw new ArgumentException("DhariwalUNet: channel_mult, model_channels and num_blocks must be positive.", nameof(config));
        Config = config;
        int channels = config.ModelChannels, width = channels * config.ChannelMultEmb, levels = config.ChannelMult.Count;
        double third = Math.Sqrt(1.0 / 3);
        var init = new WeightInit(Uniform: true, Xavier: false, third, third);
        var zero = new WeightInit(Uniform: true, Xavier: false, 0, 0);
        var options = new UNetBlockOptions(width, config.Dropout, SkipScale: 1, 1e-5, Heads: null, [1, 1],
            ProjectResampled: false, Adaptive: true, init, zero, init);

        if (config.AugmentDim > 0) map_augment = new(config.AugmentDim, channels, zero, bias: false);
        map_layer0 = new(channels, width, init);
        map_layer1 = new(width, width, init);
        if (config.LabelDim > 0) map_label = new(config.LabelDim, width, new WeightInit(Uniform: false, Xavier: false, Math.Sqrt(config.LabelDim)), bias: false);

        int current = config.InChannels;
        var skips = new Stack<int>();
        for (int level = 0; level < levels; level++)
        {
            int side = config.ImgResolution >> level, wide = channels * config.ChannelMult[level];
            string at = $"{side}x{side}_";
            if (level == 0) enc.Add(at + "conv", new EdmConv2d(current, current = wide, 3, init));
            else enc.Add(at + "down", new UNetBlock(current, current, options, Direction.Down));
            skips.Push(current);
            for (int i = 0; i < config.NumBlocks; i++)
            {
                enc.Add(at + $"block{i}", new UNetBlock(current, current = wide, options, attention: config.AttnResolutions.Contains(side)));
                skips.Push(current);
            }
        }
        for (int level = levels - 1; level >= 0; level--)
        {
            int side = config.ImgResolution >> level;
            string at = $"{side}x{side}_";
            if (level == levels - 1)
            {
                dec.Add(at + "in0", new UNetBlock(current, current, options, attention: true));
                dec.Add(at + "in1", new UNetBlock(current, current, options));
            }
            else
                dec.Add(at + "up", new UNetBlock(current, current, options, Direction.Up));
            for (int i = 0; i <= config.NumBlocks; i++)
                dec.Add(at + $"block{i}", new UNetBlock(current + skips.Pop(), current = channels * config.ChannelMult[level], options, attention: config.AttnResolutions.Contains(side)));
        }
        out_norm = options.Norm(current);
        out_conv = new(current, config.OutChannels, 3, zero);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public DhariwalUNetConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels are missing, out of range, or given to an unconditional network.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        Check.Image(x, Config.InChannels, 1 << (Config.ChannelMult.Count - 1), nameof(DhariwalUNet));
        Check.Noise(noise, x, nameof(DhariwalUNet));
        using var scope = NewDisposeScope();
        var embedding = Embed(noise.to(x.dtype), condition, x);
        var skips = new Stack<Tensor>();
        var h = ComputeType is { } type ? x.to(type) : x;
        foreach (var (_, module) in enc.Items)
            skips.Push(h = module is UNetBlock block ? block.call(h, embedding) : ((EdmConv2d)module).call(h));
        // The decoder disposes what it has read, and reads the last state twice.
        h = h.alias();
        foreach (var block in dec.Items.Select(i => (UNetBlock)i.Module))
        {
            using var below = h;
            if (block.Inputs == h.size(1)) { h = block.call(h, embedding); continue; }
            using var state = skips.Pop();
            using var joined = cat([h, state], 1);
            h = block.call(joined, embedding);
        }
        return out_conv.call(Activation.SiLU.Consume(out_norm.call(h)).to(x.dtype)).MoveToOuterDisposeScope();
    }

    private Tensor Embed(Tensor noise, Condition condition, Tensor x)
    {
        var act = Activation.SiLU;
        var features = NoiseFeatures.Sinusoidal(noise, Config.ModelChannels).to(x.dtype);
        if (EdmMapping.Augment(condition, Config.AugmentDim, x, nameof(DhariwalUNet)) is { } augment)
            features = features + map_augment!.call(augment);
        var embedding = map_layer1.call(act.Consume(map_layer0.call(features)));
        if (EdmMapping.Classes(condition, Config.LabelDim, x, training ? Config.LabelDropout : 0, nameof(DhariwalUNet)) is { } classes)
            embedding = embedding + map_label!.call(classes);
        return act.Consume(embedding);
    }
}
