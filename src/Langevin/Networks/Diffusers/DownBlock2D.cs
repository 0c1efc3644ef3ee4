using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>A level of the encoder: residual blocks, each with attention where asked, then half the resolution.</summary>
internal sealed class DownBlock2D : nn.Module
{
    private static readonly double Sqrt2 = Math.Sqrt(2);

    private readonly ModuleList<ResnetBlock2D> resnets = new();
    private readonly ModuleList<SpatialAttention>? attentions;
    private readonly ModuleList<Block>? downsamplers;
    private readonly ResnetBlock2D? resnet_down;
    private readonly Conv2d? skip_conv;
    private readonly bool skip;

    public DownBlock2D(BlockKind kind, long inputs, long outputs, int layers, bool halve, AttentionFactory? attention, int padding, long imageChannels, BlockOptions options)
        : base(nameof(DownBlock2D))
    {
        skip = kind.Skip;
        var shared = skip ? options with { Groups = null } : options;
        double scale = skip ? Sqrt2 : 1;
        if (attention is not null) attentions = new();
        for (int i = 0; i < layers; i++)
        {
            long from = i == 0 ? inputs : outputs;
            resnets.Add(new(from, outputs, shared, scale));
            attentions?.Add(attention!());
        }
        if (halve && skip)
        {
            resnet_down = new(outputs, outputs, shared, scale, down: Resampling.Fir, shortcut: true);
            skip_conv = new(imageChannels, outputs, 1);
        }
        else if (halve)
            downsamplers = new(kind.Residual ? new ResnetBlock2D(outputs, outputs, options, down: Resampling.Box) : new Downsample2D(outputs, padding));
        RegisterComponents();
    }

    /// <summary>Pushes every state that the decoder will read; returns the image for the next level (<paramref name="image"/> itself where this level does not change it).</summary>
    public Tensor Run(Tensor h, Tensor embedding, Tensor image, Stack<Tensor> states, AttentionInput attention)
    {
        for (int i = 0; i < resnets.Count; i++)
        {
            h = resnets[i].call(h, embedding);
            if (attentions is not null)
            {
                using var before = h;
                h = attentions[i].call(h, attention);
            }
            states.Push(h);
        }
        if (downsamplers is not null) states.Push(downsamplers[0].call(h, embedding));
        if (resnet_down is null || skip_conv is null) return image;
        image = Resample.Down(image, Resampling.Fir);
        using var projected = skip_conv.call(image);
        states.Push(resnet_down.call(h, embedding).add_(projected));
        return image;
    }
}
