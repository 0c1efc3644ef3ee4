using Langevin.Networks.Layers;
using static TorchSharp.torch;
using GroupNorm = Langevin.Networks.Layers.GroupNorm;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>
/// The temporal U-Net of Diffuser (Janner et al. 2022, appendix C), diffusers' <c>UNet1DModel</c> in its form for control, with its structure and
/// state-dict keys: residual convolutions of width five over a plan's steps. Cut off half-way, it values a plan.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, L], noise [N], condition)</c> gives [N, out_channels, L], L a multiple of 2^(levels − 1); a value function
/// gives [N, 1], for an L that its levels and its middle halve to 1. The noise is a step, the condition is not read.
/// </remarks>
public sealed class PlanningUNet1D : Network
{
    private readonly TimestepEmbedding time_mlp;
    private readonly ModuleList<PlanBlock> down_blocks = new(), up_blocks = new();
    private readonly nn.Module<Tensor, Tensor, Tensor> mid_block, out_block;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself, or is of another form.</exception>
    public PlanningUNet1D(UNet1DModelConfig config) : base(nameof(PlanningUNet1D))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.RequirePlans();
        Config = config;
        var channels = config.BlockOutChannels;
        int first = channels[0], last = channels[^1], layers = config.LayersPerBlock + 1, current = config.InChannels;
        var activation = Activation.Of(config.ActFn!);
        time_mlp = new(first, 4 * first, activation, outputs: first);
        for (int i = 0; i < channels.Count; current = channels[i++])
            down_blocks.Add(new(current, channels[i], first, layers, down: i < channels.Count - 1 || config.IsValue));
        mid_block = config.IsValue ? new ValueMiddle(last, first) : new PlanBlock(last, last, first, layers);
        for (int i = config.UpBlockTypes.Count - 1; i >= 0; i--)
        {
            up_blocks.Add(new(2 * current, channels[i], first, layers, up: true));
            current = channels[i];
        }
        out_block = config.IsValue ? new ValueEnd(last / 4, first, activation) : new PlanEnd(first, config.OutChannels, config.LastGroups, activation);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public UNet1DModelConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        int halvings = Config.BlockOutChannels.Count - 1;
        if (x.dim() != 3 || x.size(1) != Config.InChannels || x.size(2) == 0 || (Config.IsValue ? x.size(2) > 1 << (halvings + 3) : x.size(2) % (1 << halvings) != 0))
            throw new ArgumentException($"PlanningUNet1D: the input is [{string.Join(", ", x.shape)}], expected [N, {Config.InChannels}, L] with L {(Config.IsValue ? $"at most {1 << (halvings + 3)}" : $"a multiple of {1 << halvings}")}.", nameof(x));
        Check.Noise(noise, x, nameof(PlanningUNet1D));
        using var scope = NewDisposeScope();
        var e = time_mlp.call(NoiseFeatures.Sinusoidal(noise, Config.BlockOutChannels[0], Config.FreqShift, Config.FlipSinToCos).to(x.dtype));
        var states = new Stack<Tensor>();
        var h = x;
        foreach (var block in down_blocks)
        {
            states.Push(h = block.Level(h, e));
            h = block.Resized(h);
        }
        h = mid_block.call(h, e);
        foreach (var block in up_blocks) h = block.call(cat([h, states.Pop()], 1), e);
        return out_block.call(h, e).MoveToOuterDisposeScope();
    }

    /// <summary>Residual blocks, then half or twice the length.</summary>
    private sealed class PlanBlock : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly ModuleList<PlanResidual> resnets = new();
        private readonly Resizing? downsample, upsample;

        public PlanBlock(long inputs, long outputs, long embedding, int layers, bool down = false, bool up = false) : base(nameof(PlanBlock))
        {
            for (int i = 0; i < layers; i++) resnets.Add(new(i == 0 ? inputs : outputs, outputs, embedding));
            if (down) downsample = new(new Conv1d(outputs, outputs, 3, stride: 2, padding: 1));
            if (up) upsample = new(new ConvTranspose1d(outputs, outputs, 4, stride: 2, padding: 1));
            RegisterComponents();
        }

        public Tensor Level(Tensor x, Tensor e)
        {
            foreach (var block in resnets) x = block.call(x, e);
            return x;
        }

        public Tensor Resized(Tensor x) => (downsample ?? upsample)?.call(x) ?? x;

        public override Tensor forward(Tensor x, Tensor e)
        {
            using var scope = NewDisposeScope();
            return Resized(Level(x, e)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Resizing : nn.Module<Tensor, Tensor>
    {
        private readonly Conv conv;

        public Resizing(Conv conv) : base(nameof(Resizing))
        {
            this.conv = conv;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => conv.call(x);
    }

    private sealed class PlanResidual : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly PlanConv conv_in, conv_out;
        private readonly Linear time_emb;
        private readonly Conv1d? residual_conv;

        public PlanResidual(long inputs, long outputs, long embedding) : base(nameof(PlanResidual))
        {
            conv_in = new(inputs, outputs);
            conv_out = new(outputs, outputs);
            time_emb = new(embedding, outputs);
            if (inputs != outputs) residual_conv = new(inputs, outputs, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor e)
        {
            using var scope = NewDisposeScope();
            var h = conv_in.call(x) + time_emb.call(nn.functional.mish(e)).unsqueeze(2);
            return (conv_out.call(h) + (residual_conv?.call(x) ?? x)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>mish(GroupNorm(convolution)), eight groups.</summary>
    private sealed class PlanConv : nn.Module<Tensor, Tensor>
    {
        private readonly Conv1d conv1d;
        private readonly GroupNorm group_norm;

        public PlanConv(long inputs, long outputs) : base(nameof(PlanConv))
        {
            conv1d = new(inputs, outputs, 5, padding: 2);
            group_norm = new(8, outputs, 1e-5);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return nn.functional.mish(group_norm.call(conv1d.call(x))).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Twice half the channels and half the length.</summary>
    private sealed class ValueMiddle : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly PlanResidual res1, res2;
        private readonly Resizing down1, down2;

        public ValueMiddle(long channels, long embedding) : base(nameof(ValueMiddle))
        {
            (res1, res2) = (new(channels, channels / 2, embedding), new(channels / 2, channels / 4, embedding));
            (down1, down2) = (new(new Conv1d(channels / 2, channels / 2, 3, stride: 2, padding: 1)), new(new Conv1d(channels / 4, channels / 4, 3, stride: 2, padding: 1)));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor e)
        {
            using var scope = NewDisposeScope();
            return down2.call(res2.call(down1.call(res1.call(x, e)), e)).MoveToOuterDisposeScope();
        }
    }

    private sealed class PlanEnd : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly Conv1d final_conv1d_1, final_conv1d_2;
        private readonly GroupNorm final_conv1d_gn;
        private readonly Activation activation;

        public PlanEnd(long channels, long outputs, long groups, Activation activation) : base(nameof(PlanEnd))
        {
            this.activation = activation;
            final_conv1d_1 = new(channels, channels, 5, padding: 2);
            final_conv1d_gn = new(groups, channels, 1e-5);
            final_conv1d_2 = new(channels, outputs, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor e)
        {
            using var scope = NewDisposeScope();
            return final_conv1d_2.call(activation.Consume(final_conv1d_gn.call(final_conv1d_1.call(x)))).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Two layers over what is left of the plan and the features of the noise level.</summary>
    private sealed class ValueEnd : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly ModuleList<nn.Module<Tensor, Tensor>> final_block;
        private readonly Activation activation;

        public ValueEnd(long width, long embedding, Activation activation) : base(nameof(ValueEnd))
        {
            this.activation = activation;
            final_block = new(new Linear(width + embedding, width / 2), nn.Identity(), new Linear(width / 2, 1)); // diffusers counts the activation
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor e)
        {
            using var scope = NewDisposeScope();
            var h = activation.Consume(final_block[0].call(cat([x.flatten(1), e], 1)));
            return final_block[2].call(h).MoveToOuterDisposeScope();
        }
    }
}
