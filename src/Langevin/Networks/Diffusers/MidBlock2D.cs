using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>The bottom of a U-Net or an autoencoder: residual block, attention, residual block.</summary>
internal sealed class MidBlock2D : nn.Module<Tensor, Tensor?, AttentionInput, Tensor>
{
    private readonly ModuleList<SpatialAttention> attentions = new();
    private readonly ModuleList<ResnetBlock2D> resnets = new();

    public MidBlock2D(long channels, BlockOptions options, AttentionFactory? attention, double scale) : base(nameof(MidBlock2D))
    {
        resnets.Add(new(channels, channels, options, scale));
        resnets.Add(new(channels, channels, options, scale));
        if (attention is not null) attentions.Add(attention());
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor? embedding, AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var h = resnets[0].call(x, embedding);
        if (attentions.Count > 0) h = attentions[0].call(h, input);
        return resnets[1].call(h, embedding).MoveToOuterDisposeScope();
    }
}
