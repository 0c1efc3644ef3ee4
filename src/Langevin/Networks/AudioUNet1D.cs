using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using GroupNorm = Langevin.Networks.Layers.GroupNorm;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>
/// The U-Net for raw audio of Dance Diffusion, diffusers' <c>UNet1DModel</c> in its default form, with its structure and state-dict keys:
/// levels halved and doubled by a cubic filter, convolutions of width five, attention below.
/// </summary>
/// <remarks><c>forward(x [N, in_channels, L], noise [N], condition)</c> gives [N, out_channels, L]; the noise is a time in [0, 1], the condition is not read. L must be a multiple of 2^levels.</remarks>
public sealed class AudioUNet1D : Network
{
    private readonly PlainFourier time_proj;
    private readonly Layers.ModuleList<AudioBlock> down_blocks = new(), up_blocks = new();
    private readonly AudioBlock mid_block;

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself, or is of another form.</exception>
    public AudioUNet1D(UNet1DModelConfig config) : base(nameof(AudioUNet1D))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.RequireAudio();
        Config = config;
        var channels = config.BlockOutChannels;
        int levels = channels.Count, current = config.InChannels + config.ExtraInChannels;
        time_proj = new(config.Features / 2, config.FlipSinToCos);
        for (int i = 0; i < levels; current = channels[i++])
            down_blocks.Add(new(current, channels[i], channels[i], 3, config.DownBlockTypes[i] == "AttnDownBlock1D", down: config.DownBlockTypes[i] != "DownBlock1DNoSkip"));
        mid_block = new(current, current, current, 6, attends: true, down: true, up: true);
        for (int i = 0; i < levels; i++)
        {
            int outputs = i < levels - 1 ? channels[levels - 2 - i] : config.OutChannels;
            bool attends = config.UpBlockTypes[i] == "AttnUpBlock1D", plain = config.UpBlockTypes[i] == "UpBlock1DNoSkip";
            up_blocks.Add(new(2 * current, attends ? outputs : current, outputs, 3, attends, up: !plain, ends: plain));
            current = outputs;
        }
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public UNet1DModelConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        int halvings = Config.DownBlockTypes.Count(t => t != "DownBlock1DNoSkip") + 1;
        if (x.dim() != 3 || x.size(1) != Config.InChannels || x.size(2) % (1 << halvings) != 0 || x.size(2) >> halvings < 2)
            throw new ArgumentException($"AudioUNet1D: the input is [{string.Join(", ", x.shape)}], expected [N, {Config.InChannels}, L] with L a multiple of {1 << halvings} and at least {2 << halvings}.", nameof(x));
        Check.Noise(noise, x, nameof(AudioUNet1D));
        using var scope = NewDisposeScope();
        var h = Config.DownBlockTypes[0] == "DownBlock1DNoSkip" ? cat([x, time_proj.call(noise.to(x.dtype)).unsqueeze(2).expand(-1, -1, x.size(2))], 1) : x;
        var states = new Stack<Tensor>();
        foreach (var block in down_blocks) states.Push(h = block.call(h));
        h = mid_block.call(h);
        foreach (var block in up_blocks) h = block.call(cat([h, states.Pop()], 1));
        return h.MoveToOuterDisposeScope();
    }

    /// <summary>Sines and cosines of 2π t w with fixed w.</summary>
    private sealed class PlainFourier : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly bool cosineFirst;

        public PlainFourier(long width, bool cosineFirst) : base(nameof(PlainFourier))
        {
            this.cosineFirst = cosineFirst;
            weight = nn.Parameter(randn(width), requires_grad: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor t)
        {
            using var scope = NewDisposeScope();
            var angle = t.unsqueeze(1) * weight.to(t.dtype) * (2 * Math.PI);
            return cat(cosineFirst ? [angle.cos(), angle.sin()] : [angle.sin(), angle.cos()], 1).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Residual convolutions, each followed by attention where asked, between halving and doubling.</summary>
    private sealed class AudioBlock : nn.Module<Tensor, Tensor>
    {
        private readonly Layers.ModuleList<AudioResidual> resnets = new();
        private readonly Layers.ModuleList<AudioAttention>? attentions;
        private readonly CubicFilter? down, up;

        public AudioBlock(long inputs, long middle, long outputs, int count, bool attends, bool down = false, bool up = false, bool ends = false) : base(nameof(AudioBlock))
        {
            if (down) this.down = new(doubles: false);
            if (up) this.up = new(doubles: true);
            if (attends) attentions = new();
            for (int i = 0; i < count; i++)
            {
                bool last = i == count - 1;
                resnets.Add(new(i == 0 ? inputs : middle, middle, last ? outputs : middle, last && ends));
                attentions?.Add(new(last ? outputs : middle));
            }
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = down is null ? x : down.call(x);
            for (int i = 0; i < resnets.Count; i++)
            {
                h = resnets[i].call(h);
                if (attentions is not null) h = attentions[i].call(h);
            }
            return (up is null ? h : up.call(h)).MoveToOuterDisposeScope();
        }
    }

    private sealed class AudioResidual : nn.Module<Tensor, Tensor>
    {
        private readonly Layers.Conv1d? conv_skip;
        private readonly Layers.Conv1d conv_1, conv_2;
        private readonly GroupNorm group_norm_1;
        private readonly GroupNorm? group_norm_2;

        public AudioResidual(long inputs, long middle, long outputs, bool ends) : base(nameof(AudioResidual))
        {
            if (inputs != outputs) conv_skip = new(inputs, outputs, 1, bias: false);
            conv_1 = new(inputs, middle, 5, padding: 2);
            group_norm_1 = new(1, middle, 1e-5);
            conv_2 = new(middle, outputs, 5, padding: 2);
            if (!ends) group_norm_2 = new(1, outputs, 1e-5);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = conv_2.call(nn.functional.gelu(group_norm_1.call(conv_1.call(x))));
            if (group_norm_2 is not null) h = nn.functional.gelu(group_norm_2.call(h));
            return (h + (conv_skip is null ? x : conv_skip.call(x))).MoveToOuterDisposeScope();
        }
    }

    private sealed class AudioAttention : nn.Module<Tensor, Tensor>
    {
        private const int HeadWidth = 32;
        private readonly GroupNorm group_norm;
        private readonly Linear query, key, value, proj_attn;
        private readonly long heads;

        public AudioAttention(long channels) : base(nameof(AudioAttention))
        {
            heads = Math.Max(1, channels / HeadWidth);
            group_norm = new(1, channels, 1e-5);
            (query, key, value, proj_attn) = (new(channels, channels), new(channels, channels), new(channels, channels), new(channels, channels));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var rows = group_norm.call(x).transpose(1, 2);
            Tensor Heads(Linear layer) => layer.call(rows).view(x.size(0), x.size(2), heads, -1).transpose(1, 2);
            var mixed = Layers.Attention.Of(Heads(query), Heads(key), Heads(value)).transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1));
            return (x + proj_attn.call(mixed).transpose(1, 2)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Halves or doubles the length by a cubic filter of eight taps, mirrored beyond the ends.</summary>
    private sealed class CubicFilter : nn.Module<Tensor, Tensor>
    {
        private static readonly float[] Taps = [-0.01171875f, -0.03515625f, 0.11328125f, 0.43359375f, 0.43359375f, 0.11328125f, -0.03515625f, -0.01171875f];
        private readonly Tensor kernel;
        private readonly bool doubles;

        public CubicFilter(bool doubles) : base(nameof(CubicFilter))
        {
            this.doubles = doubles;
            kernel = tensor(Taps) * (doubles ? 2 : 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            long channels = x.size(1), pad = Taps.Length / 2 - 1;
            var weight = kernel.to(x.dtype).expand(channels, 1, -1);
            long each = doubles ? (pad + 1) / 2 : pad;
            var padded = nn.functional.pad(x, [each, each], TorchSharp.PaddingModes.Reflect);
            return (doubles ? nn.functional.conv_transpose1d(padded, weight, stride: 2, padding: pad * 2 + 1, groups: channels) : nn.functional.conv1d(padded, weight, stride: 2, groups: channels)).MoveToOuterDisposeScope();
        }
    }
}
