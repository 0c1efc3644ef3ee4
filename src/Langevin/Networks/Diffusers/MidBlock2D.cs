using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>The bottom of a U-Net or an autoencoder: residual block, attention, residual block.</summary>
internal sealed class MidBlock2D : nn.Module<Tensor, Tensor?, AttentionControl?, Tensor>
{
    private readonly ModuleList<AttentionBlock> attentions = new();
    private readonly ModuleList<ResnetBlock2D> resnets = new();

    public MidBlock2D(long channels, BlockOptions options, long headWidth, bool attention, int? attentionGroups, double scale) : base(nameof(MidBlock2D))
    {
        resnets.Add(new(channels, channels, options, scale));
        resnets.Add(new(channels, channels, options, scale));
        long? groups = attentionGroups ?? (options.ScaleShift ? (long?)null : options.GroupsOf(channels));
        if (attention) attentions.Add(new(channels, headWidth, groups, options.Epsilon, scale));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor? embedding, AttentionControl? control)
    {
        using var scope = NewDisposeScope();
        var h = resnets[0].call(x, embedding);
        if (attentions.Count > 0) h = attentions[0].call(h, control);
        return resnets[1].call(h, embedding).MoveToOuterDisposeScope();
    }
}
