using Langevin.Networks.Guided;
using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// Half of a <see cref="GuidedUNet"/> with a pool at its end: the noisy classifier of guided diffusion (Dhariwal and Nichol 2021, section 4),
/// with the state-dict keys of the reference's <c>EncoderUNetModel</c>.
/// </summary>
/// <remarks><c>forward(x [N, in_channels, H, W], noise [N], condition)</c> gives logits [N, out_channels]; the condition is not read.</remarks>
public sealed class GuidedEncoder : Network
{
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> time_embed;
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> @out;
    private readonly Layers.ModuleList<GuidedSequence> input_blocks = new();
    private readonly GuidedSequence middle_block;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <param name="config">Its shape; out_channels is the number of classes.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public GuidedEncoder(GuidedUNetConfig config) : base(nameof(GuidedEncoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (config.Dims != 2 || config.SuperResolution || config.NumClasses is not null) throw new ArgumentException("GuidedEncoder reads pictures alone: dims 2, no classes told, no small picture.", nameof(config));
        Config = config;
        time_embed = GuidedDown.TimeEmbed(config);
        int channels = 0;
        foreach (var (block, width) in GuidedDown.Blocks(config, config.InChannels))
        {
            input_blocks.Add(block);
            channels = width;
        }
        middle_block = GuidedDown.Middle(config, channels);
        @out = config.Pool == "attention"
            ? new(GuidedBlock.Norm(channels), nn.Identity(), new AttentionPool(config.ImageSize >> config.ChannelMult.Count - 1, channels, config.Heads(channels), config.OutChannels))
            : new(GuidedBlock.Norm(channels), nn.Identity(), nn.Identity(), Zeroed(channels, config.OutChannels));
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public GuidedUNetConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        GuidedDown.CheckInput(Config, x, noise, nameof(GuidedEncoder));
        if (Config.Pool == "attention" && (x.size(2) != Config.ImageSize || x.size(3) != Config.ImageSize))
            throw new ArgumentException($"GuidedEncoder: the input is [{string.Join(", ", x.shape)}]; its attention pool is bound to {Config.ImageSize}×{Config.ImageSize} pixels.", nameof(x));
        using var scope = NewDisposeScope();
        var e = GuidedDown.Embed(time_embed, Config, noise, x);
        var h = x;
        foreach (var block in input_blocks) h = block.call(h, e);
        h = @out[0].call(middle_block.call(h, e)).silu();
        if (Config.Pool == "adaptive") h = h.mean([2L, 3], keepdim: true);
        return @out[@out.Count - 1].call(h).flatten(1).MoveToOuterDisposeScope();
    }

    private static Layers.Conv2d Zeroed(long inputs, long outputs)
    {
        var last = new Layers.Conv2d(inputs, outputs, 1);
        last.Zero();
        return last;
    }

    /// <summary>What the mean of all places learns from them by attention, projected.</summary>
    private sealed class AttentionPool : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter positional_embedding;
        private readonly Layers.Conv1d qkv_proj, c_proj;
        private readonly long heads;

        public AttentionPool(long side, long channels, long heads, long outputs) : base(nameof(AttentionPool))
        {
            this.heads = heads;
            positional_embedding = nn.Parameter(randn(channels, side * side + 1) / Math.Sqrt(channels));
            qkv_proj = new(channels, 3 * channels, 1);
            c_proj = new(channels, outputs, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var places = x.flatten(2);
            places = cat([places.mean([-1L], keepdim: true), places], -1) + positional_embedding;
            return c_proj.call(GuidedAttention.Mix(qkv_proj.call(places), heads, splitFirst: true)).select(2, 0).MoveToOuterDisposeScope();
        }
    }
}
