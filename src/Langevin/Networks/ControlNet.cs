using Langevin.Networks.Diffusers;
using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>What is added to the states of a U-Net.</summary>
/// <param name="Down">To each state of the way down, from the first.</param>
/// <param name="Middle">To the middle.</param>
public sealed record ControlStates(IReadOnlyList<Tensor> Down, Tensor Middle);

/// <summary>
/// ControlNet (Zhang et al. 2023, section 3): a copy of a U-Net's way down that reads a picture, such as edges or depth, and steers the
/// U-Net through convolutions that begin at zero. Structure and state-dict keys of diffusers' <c>ControlNetModel</c>.
/// </summary>
public sealed class ControlNet : nn.Module
{
    /// <summary>Slot of the picture that steers, [N, conditioning_channels, f H, f W] with f = 2^(levels of its embedding − 1), in [0, 1].</summary>
    public const string PictureSlot = "control";

    private readonly Conv2d conv_in, controlnet_mid_block;
    private readonly TimestepEmbedding time_embedding;
    private readonly Embedding? class_embedding;
    private readonly TimestepEmbedding? add_embedding;
    private readonly PictureEmbedding controlnet_cond_embedding;
    private readonly ModuleList<DownBlock2D> down_blocks;
    private readonly ModuleList<Conv2d> controlnet_down_blocks = new();
    private readonly MidBlock2D? mid_block;

    /// <summary>A network with PyTorch's default initialisation, whose states are zero.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public ControlNet(ControlNetConfig config) : base(nameof(ControlNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        var encoder = config.Encoder;
        int first = encoder.BlockOutChannels[0];
        conv_in = new(encoder.InChannels, first, 3, padding: 1);
        time_embedding = new(first, 4 * first, Layers.Activation.Of(encoder.ActFn));
        if (encoder.NumClassEmbeds is { } rows) class_embedding = new(rows, 4 * first);
        add_embedding = ConditionParts.Added(encoder);
        controlnet_cond_embedding = new(config.ConditioningChannels, config.ConditioningEmbeddingOutChannels, first);
        down_blocks = ConditionParts.Down(encoder);
        mid_block = ConditionParts.Middle(encoder);
        controlnet_down_blocks.Add(Zero(first));
        for (int i = 0; i < encoder.BlockOutChannels.Count; i++)
            for (int k = 0; k < encoder.LayersPerBlock + (i < encoder.BlockOutChannels.Count - 1 ? 1 : 0); k++) controlnet_down_blocks.Add(Zero(encoder.BlockOutChannels[i]));
        controlnet_mid_block = Zero(encoder.BlockOutChannels[^1]);
        RegisterComponents();
        SpatialAttention.NameAll(this);
    }

    /// <summary>The shape of the network.</summary>
    public ControlNetConfig Config { get; }

    /// <summary>What to add to the states of the U-Net; the caller's.</summary>
    /// <param name="x">As for the U-Net.</param>
    /// <param name="noise">As for the U-Net.</param>
    /// <param name="condition">As for the U-Net, with the picture in slot <c>control</c>.</param>
    /// <param name="scale">What the states are multiplied by.</param>
    /// <exception cref="ArgumentException">A shape does not fit, or the picture is missing.</exception>
    public ControlStates Run(Tensor x, Tensor noise, Condition condition, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var encoder = Config.Encoder;
        Check.Image(x, encoder.InChannels, 1 << (encoder.BlockOutChannels.Count - 1), nameof(ControlNet));
        Check.Noise(noise, x, nameof(ControlNet));
        var picture = Picture(condition, x);
        using var scope = NewDisposeScope();
        var embedding = ConditionParts.Embed(encoder, time_embedding, class_embedding, add_embedding, noise, condition, x, nameof(ControlNet));
        var attention = ConditionParts.Attended(encoder, condition, x, nameof(ControlNet));
        var states = new Stack<Tensor>();
        states.Push(conv_in.call(x) + controlnet_cond_embedding.call(picture.to(x.dtype)));
        foreach (var block in down_blocks) block.Run(states.Peek(), embedding, x, states, attention);
        var middle = mid_block?.call(states.Peek(), embedding, attention) ?? states.Peek();
        return new([.. states.Reverse().Select((s, i) => (controlnet_down_blocks[i].call(s) * scale).MoveToOuterDisposeScope())], (controlnet_mid_block.call(middle) * scale).MoveToOuterDisposeScope());
    }

    private Tensor Picture(Condition condition, Tensor x)
    {
        int factor = 1 << (Config.ConditioningEmbeddingOutChannels.Count - 1);
        long[] expected = [x.size(0), Config.ConditioningChannels, factor * x.size(2), factor * x.size(3)];
        var picture = condition[PictureSlot] ?? throw new ArgumentException($"ControlNet: the condition has no slot '{PictureSlot}': give the picture that steers, [{string.Join(", ", expected)}].", nameof(condition));
        return picture.shape.SequenceEqual(expected) ? picture : throw new ArgumentException($"ControlNet: the picture that steers is [{string.Join(", ", picture.shape)}], expected [{string.Join(", ", expected)}].", nameof(condition));
    }

    private static Conv2d Zero(long channels)
    {
        var layer = new Conv2d(channels, channels, 1);
        layer.Zero();
        return layer;
    }

    /// <summary>Convolutions that bring the picture to the size of the features, the last at zero.</summary>
    private sealed class PictureEmbedding : nn.Module<Tensor, Tensor>
    {
        private readonly Conv2d conv_in, conv_out;
        private readonly ModuleList<Conv2d> blocks = new();

        public PictureEmbedding(long inputs, IReadOnlyList<int> widths, long outputs) : base(nameof(PictureEmbedding))
        {
            conv_in = new(inputs, widths[0], 3, padding: 1);
            for (int i = 0; i + 1 < widths.Count; i++)
            {
                blocks.Add(new(widths[i], widths[i], 3, padding: 1));
                blocks.Add(new(widths[i], widths[i + 1], 3, stride: 2, padding: 1));
            }
            conv_out = new(widths[^1], outputs, 3, padding: 1);
            conv_out.Zero();
            RegisterComponents();
        }

        public override Tensor forward(Tensor picture)
        {
            using var scope = NewDisposeScope();
            var h = conv_in.call(picture).silu();
            foreach (var block in blocks) h = block.call(h).silu();
            return conv_out.call(h).MoveToOuterDisposeScope();
        }
    }
}

/// <summary>A U-Net with ControlNets beside it, whose states are summed.</summary>
/// <remarks>Each reads the condition's slot <c>control</c>, or one of its own name where several read different pictures. The networks remain the caller's.</remarks>
public sealed class ControlledUNet : Network
{
    private readonly UNet2DCondition unet;
    private readonly (ControlNet Net, double Scale, string Slot)[] controls;

    /// <summary>A U-Net that is steered.</summary>
    /// <param name="unet">The U-Net.</param>
    /// <param name="controls">The nets, what their states are multiplied by, and the slot of the picture that each reads.</param>
    public ControlledUNet(UNet2DCondition unet, params (ControlNet Net, double Scale, string Slot)[] controls) : base(nameof(ControlledUNet))
    {
        ArgumentNullException.ThrowIfNull(unet);
        ArgumentNullException.ThrowIfNull(controls);
        if (controls.Length == 0) throw new ArgumentException("A controlled U-Net needs at least one ControlNet.", nameof(controls));
        (this.unet, this.controls) = (unet, controls);
        RegisterComponents();
        for (int i = 0; i < controls.Length; i++) register_module($"control_{i}", controls[i].Net);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        ControlStates? sum = null;
        foreach (var (net, scale, slot) in controls)
        {
            var picture = condition[slot] ?? throw new ArgumentException($"ControlledUNet: the condition has no slot '{slot}' with the picture that steers.", nameof(condition));
            var states = net.Run(x, noise, condition.With(ControlNet.PictureSlot, picture), scale);
            sum = sum is null ? states : new([.. sum.Down.Zip(states.Down, (a, b) => a + b)], sum.Middle + states.Middle);
        }
        return unet.Run(x, noise, condition, sum).MoveToOuterDisposeScope();
    }
}
