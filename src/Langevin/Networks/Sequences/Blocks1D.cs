using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Sequences;

/// <summary>A level of the encoder: residual blocks, then half the length by a strided convolution.</summary>
internal sealed class DownBlock1D : nn.Module
{
    private readonly ModuleList<ResnetBlock1D> resnets = new();
    private readonly Conv1d? downsample;

    public DownBlock1D(int inputs, int outputs, int layers, bool halve, BlockOptions1D options) : base(nameof(DownBlock1D))
    {
        for (int i = 0; i < layers; i++) resnets.Add(new(i == 0 ? inputs : outputs, outputs, options));
        if (halve) downsample = new(outputs, outputs, 3, stride: 2, padding: 1);
        RegisterComponents();
    }

    /// <summary>Goes on from the last state, and pushes every state that the decoder will read.</summary>
    public void Run(Tensor embedding, Stack<Tensor> states)
    {
        foreach (var resnet in resnets) states.Push(resnet.call(states.Peek(), embedding));
        if (downsample is not null) states.Push(downsample.call(states.Peek()));
    }
}

/// <summary>The bottom: residual block, self-attention over the positions, residual block.</summary>
internal sealed class MidBlock1D : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock1D> resnets;
    private readonly SelfAttention1D attention;

    public MidBlock1D(int channels, int headWidth, BlockOptions1D options) : base(nameof(MidBlock1D))
    {
        resnets = new(new ResnetBlock1D(channels, channels, options), new ResnetBlock1D(channels, channels, options));
        attention = new(channels, headWidth, options.Groups);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        return resnets[1].call(attention.call(resnets[0].call(x, embedding)), embedding).MoveToOuterDisposeScope();
    }
}

/// <summary>A level of the decoder: residual blocks that each read one state of the encoder, then twice the length by repetition and a convolution.</summary>
internal sealed class UpBlock1D : nn.Module
{
    private readonly ModuleList<ResnetBlock1D> resnets = new();
    private readonly Conv1d? upsample;

    /// <param name="inputs">Channels that come from below.</param>
    /// <param name="skips">Channels of the encoder's states, in the order in which they are read.</param>
    /// <param name="outputs">Channels of this level.</param>
    /// <param name="twice">Whether the length is doubled.</param>
    /// <param name="options">What all blocks share.</param>
    public UpBlock1D(int inputs, IReadOnlyList<int> skips, int outputs, bool twice, BlockOptions1D options) : base(nameof(UpBlock1D))
    {
        for (int i = 0; i < skips.Count; i++) resnets.Add(new((i == 0 ? inputs : outputs) + skips[i], outputs, options));
        if (twice) upsample = new(outputs, outputs, 3, padding: 1);
        RegisterComponents();
    }

    /// <summary>Takes as many states as it has blocks; disposes them and <paramref name="h"/>.</summary>
    public Tensor Run(Tensor h, Tensor embedding, Stack<Tensor> states)
    {
        foreach (var resnet in resnets)
        {
            using var below = h;
            using var skip = states.Pop();
            using var both = cat([below, skip], 1);
            h = resnet.call(both, embedding);
        }
        if (upsample is null) return h;
        using var half = h;
        using var repeated = h.repeat_interleave(2, 2);
        return upsample.call(repeated);
    }
}
