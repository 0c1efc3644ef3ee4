using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>A level of the decoder: residual blocks that also read the encoder's states, attention where asked, then twice the resolution.</summary>
internal sealed class UpBlock2D : nn.Module
{
    private static readonly double Sqrt2 = Math.Sqrt(2);

    private readonly ModuleList<ResnetBlock2D> resnets = new();
    private readonly ModuleList<SpatialAttention>? attentions;
    private readonly ModuleList<Block>? upsamplers;
    private readonly ResnetBlock2D? resnet_up;
    private readonly GroupNorm? skip_norm;
    private readonly Conv2d? skip_conv;
    private readonly bool skip;
    private readonly Layers.Activation act;

    public UpBlock2D(BlockKind kind, long below, long inputs, long outputs, int layers, bool twice, AttentionFactory? attention, long imageChannels, BlockOptions options)
        : base(nameof(UpBlock2D))
    {
        (skip, act) = (kind.Skip, options.Act);
        var shared = skip ? options with { Groups = null } : options;
        double scale = skip ? Sqrt2 : 1;
        if (attention is not null) attentions = new();
        for (int i = 0; i < layers; i++)
        {
            long state = i == layers - 1 ? inputs : outputs, from = i == 0 ? below : outputs;
            // AttnSkipUpBlock2D counts its groups with the quarter taken of the state's channels alone.
            long? groups = skip && kind.Attention ? Math.Min(from + state / 4, 32) : null;
            resnets.Add(new(from + state, outputs, shared, scale, groups, groups is null ? null : shared.GroupsOf(outputs)));
            // NCSN++ attends once, after the level's last block.
            if (!skip || i == layers - 1)
                attentions?.Add(attention!());
        }
        if (twice && skip)
        {
            resnet_up = new(outputs, outputs, shared, scale, up: Resampling.Fir, shortcut: true);
            skip_conv = new(outputs, imageChannels, 3, padding: 1);
            skip_norm = new(shared.GroupsOf(outputs), outputs, options.Epsilon);
        }
        else if (twice)
            upsamplers = new(kind.Residual ? new ResnetBlock2D(outputs, outputs, options, up: Resampling.Box) : new Upsample2D(outputs));
        RegisterComponents();
    }

    /// <summary>Consumes <paramref name="h"/> and as many states as it has residual blocks; returns the features and the image so far.</summary>
    public (Tensor h, Tensor? image) Run(Tensor h, Tensor embedding, Tensor? image, Stack<Tensor> states, AttentionInput input)
    {
        for (int i = 0; i < resnets.Count; i++)
        {
            using (var below = h)
            using (var state = states.Pop())
            using (var joined = cat([below, state], 1))
                h = resnets[i].call(joined, embedding);
            int attention = skip ? i - (resnets.Count - 1) : i;
            if (attentions is null || attention < 0) continue;
            using var before = h;
            h = attentions[attention].call(h, input);
        }
        if (skip && image is not null)
        {
            using var before = image;
            image = Resample.Up(image, Resampling.Fir);
        }
        if (resnet_up is not null)
        {
            using var normed = act.Consume(skip_norm!.call(h));
            var part = skip_conv!.call(normed);
            using var before = image;
            image = image is null ? part : part.add_(image);
            using var old = h;
            h = resnet_up.call(h, embedding);
        }
        if (upsamplers is not null)
        {
            using var before = h;
            h = upsamplers[0].call(h, embedding);
        }
        return (h, image);
    }
}
