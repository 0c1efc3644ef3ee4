using Langevin.Networks.Guided;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The U-Net of guided diffusion (Dhariwal and Nichol 2021, section 3) and, with other values, of improved diffusion (Nichol and Dhariwal
/// 2021), with the structure and state-dict keys of both.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, H, W], noise [N], condition)</c> gives [N, out_channels, H, W] (or [N, C, L] for dims 1); height and width
/// must be multiples of 2^(levels − 1). With classes the condition's labels are read, −1 adding nothing; with super_resolution its slot
/// <c>low_res</c> [N, in_channels, h, w], which is brought to the input's size.
/// </remarks>
public sealed class GuidedUNet : Network
{
    /// <summary>Slot of the small picture.</summary>
    public const string LowResolutionSlot = "low_res";

    private readonly ModuleList<nn.Module<Tensor, Tensor>> time_embed, @out;
    private readonly Embedding? label_emb;
    private readonly ModuleList<GuidedSequence> input_blocks = new(), output_blocks = new();
    private readonly GuidedSequence middle_block;

    /// <summary>A network with PyTorch's default initialisation, whose output is zero.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public GuidedUNet(GuidedUNetConfig config) : base(nameof(GuidedUNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        time_embed = GuidedDown.TimeEmbed(config);
        if (config.NumClasses is { } classes) label_emb = new(classes, 4 * config.ModelChannels);
        var left = new Stack<int>();
        foreach (var (block, width) in GuidedDown.Blocks(config, config.SuperResolution ? 2 * config.InChannels : config.InChannels))
        {
            input_blocks.Add(block);
            left.Push(width);
        }
        int channels = left.Peek(), factor = 1 << config.ChannelMult.Count - 1;
        middle_block = GuidedDown.Middle(config, channels);
        for (int level = config.ChannelMult.Count - 1; level >= 0; level--)
        {
            for (int i = 0; i <= config.NumResBlocks; i++)
            {
                int next = config.Channels(level);
                bool doubles = level > 0 && i == config.NumResBlocks;
                output_blocks.Add(new(new GuidedResBlock(config, channels + left.Pop(), next),
                    config.AttentionResolutions.Contains(factor) ? new GuidedAttention(config, next, up: true) : null,
                    !doubles ? null : config.ResblockUpdown ? new GuidedResBlock(config, next, next, up: true) : new GuidedUpsample(config, next)));
                channels = next;
            }
            factor /= 2;
        }
        var last = GuidedBlock.Convolution(config.Dims, channels, config.OutChannels, 3);
        last.Zero();
        @out = new(GuidedBlock.Norm(channels), nn.Identity(), last);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public GuidedUNetConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or labels or the small picture are missing.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        GuidedDown.CheckInput(Config, x, noise, nameof(GuidedUNet));
        using var scope = NewDisposeScope();
        var e = GuidedDown.Embed(time_embed, Config, noise, x);
        if (label_emb is not null) e = e + Labels(condition, x);
        var h = Config.SuperResolution ? cat([x, Enlarged(condition, x)], 1) : x;
        var states = new Stack<Tensor>();
        foreach (var block in input_blocks) states.Push(h = block.call(h, e));
        h = middle_block.call(h, e);
        foreach (var block in output_blocks) h = block.call(cat([h, states.Pop()], 1), e);
        return @out[2].call(@out[0].call(h).silu()).MoveToOuterDisposeScope();
    }

    private Tensor Labels(Condition condition, Tensor x)
    {
        var label = Check.Label(condition, x, nameof(GuidedUNet));
        var none = label.eq(-1);
        var rows = label_emb!.call(Check.Index(label.masked_fill(none, 0), label_emb.Rows, "label", nameof(GuidedUNet)));
        return rows.masked_fill(none.unsqueeze(1), 0).to(x.dtype);
    }

    private static Tensor Enlarged(Condition condition, Tensor x)
    {
        var small = condition[LowResolutionSlot] ?? throw new ArgumentException($"GuidedUNet: the condition has no slot '{LowResolutionSlot}': give the small picture, [N, {x.size(1)}, h, w].", nameof(condition));
        if (small.dim() != 4 || small.size(0) != x.size(0) || small.size(1) != x.size(1))
            throw new ArgumentException($"GuidedUNet: the small picture is [{string.Join(", ", small.shape)}], expected [{x.size(0)}, {x.size(1)}, h, w].", nameof(condition));
        return nn.functional.interpolate(small.to(x.dtype), size: [x.size(2), x.size(3)], mode: InterpolationMode.Bilinear, align_corners: false);
    }
}
