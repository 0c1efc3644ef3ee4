using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>What encoder and decoder of one autoencoder share.</summary>
/// <param name="Channels">Of each level, from the finest.</param>
/// <param name="Layers">Residual blocks of a level of the encoder; the decoder has one more.</param>
/// <param name="Groups">Groups of the norms.</param>
/// <param name="Act">Non-linearity.</param>
/// <param name="Attention">Whether the bottom attends.</param>
internal sealed record AutoencoderShape(IReadOnlyList<int> Channels, int Layers, int Groups, Activation Act, bool Attention)
{
    public BlockOptions Options => new(Embedding: null, Groups, Epsilon: 1e-6, ScaleShift: false, Dropout: 0, Act);

    public MidBlock2D Bottom() => new(Channels[^1], Options, Attention ? () => new AttentionBlock(Channels[^1], Channels[^1], Groups, Options.Epsilon) : null, 1);
}

/// <summary>Images [N, C, H, W] to features [N, outputs, H/f, W/f], f = 2^(levels − 1).</summary>
internal sealed class Encoder2D : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in, conv_out;
    private readonly ModuleList<EncoderLevel> down_blocks = new();
    private readonly MidBlock2D mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly Activation act;

    public Encoder2D(AutoencoderShape shape, long inputs, long outputs) : base(nameof(Encoder2D))
    {
        act = shape.Act;
        var channels = shape.Channels;
        conv_in = new(inputs, channels[0], 3, padding: 1);
        for (int i = 0; i < channels.Count; i++) down_blocks.Add(new(channels[Math.Max(i - 1, 0)], channels[i], shape, halve: i < channels.Count - 1));
        mid_block = shape.Bottom();
        conv_norm_out = new(shape.Groups, channels[^1], shape.Options.Epsilon);
        conv_out = new(channels[^1], outputs, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = conv_in.call(x);
        foreach (var block in down_blocks) h = block.call(h);
        h = mid_block.call(h, null, default);
        return conv_out.call(act.Consume(conv_norm_out.call(h))).MoveToOuterDisposeScope();
    }
}

/// <summary>Features [N, inputs, h, w] to images [N, C, f h, f w].</summary>
internal sealed class Decoder2D : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in, conv_out;
    private readonly MidBlock2D mid_block;
    private readonly ModuleList<DecoderLevel> up_blocks = new();
    private readonly GroupNorm conv_norm_out;
    private readonly Activation act;

    public Decoder2D(AutoencoderShape shape, long inputs, long outputs) : base(nameof(Decoder2D))
    {
        act = shape.Act;
        int[] channels = [.. shape.Channels.Reverse()];
        conv_in = new(inputs, channels[0], 3, padding: 1);
        mid_block = shape.Bottom();
        for (int i = 0; i < channels.Length; i++) up_blocks.Add(new(channels[Math.Max(i - 1, 0)], channels[i], shape, twice: i < channels.Length - 1));
        conv_norm_out = new(shape.Groups, channels[^1], shape.Options.Epsilon);
        conv_out = new(channels[^1], outputs, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor z)
    {
        using var scope = NewDisposeScope();
        var h = mid_block.call(conv_in.call(z), null, default);
        foreach (var block in up_blocks) h = block.call(h);
        return conv_out.call(act.Consume(conv_norm_out.call(h))).MoveToOuterDisposeScope();
    }
}

/// <summary>A level of the encoder: residual blocks, then half the resolution.</summary>
internal sealed class EncoderLevel : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock2D> resnets = new();
    private readonly ModuleList<Downsample2D>? downsamplers;

    public EncoderLevel(long inputs, long outputs, AutoencoderShape shape, bool halve) : base(nameof(EncoderLevel))
    {
        for (int i = 0; i < shape.Layers; i++) resnets.Add(new(i == 0 ? inputs : outputs, outputs, shape.Options));
        if (halve) downsamplers = new(new Downsample2D(outputs, padding: 0));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = x;
        foreach (var resnet in resnets) h = resnet.call(h, null);
        if (downsamplers is not null) h = downsamplers[0].call(h, null);
        return h.MoveToOuterDisposeScope();
    }
}

/// <summary>A level of the decoder: residual blocks, then twice the resolution.</summary>
internal sealed class DecoderLevel : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock2D> resnets = new();
    private readonly ModuleList<Upsample2D>? upsamplers;

    public DecoderLevel(long inputs, long outputs, AutoencoderShape shape, bool twice) : base(nameof(DecoderLevel))
    {
        for (int i = 0; i < shape.Layers + 1; i++) resnets.Add(new(i == 0 ? inputs : outputs, outputs, shape.Options));
        if (twice) upsamplers = new(new Upsample2D(outputs));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = x;
        foreach (var resnet in resnets) h = resnet.call(h, null);
        if (upsamplers is not null) h = upsamplers[0].call(h, null);
        return h.MoveToOuterDisposeScope();
    }
}
