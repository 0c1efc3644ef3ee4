using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks.Diffusers;

/// <summary>
/// Residual block: (shortcut(x) + conv₂(act(norm₂(conv₁(act(norm₁ x)) , e)))) / scale, where the embedding e shifts
/// before norm₂ or scales and shifts after it, and both paths may change resolution before conv₁.
/// </summary>
internal sealed class ResnetBlock2D : Block
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv2d conv1, conv2;
    private readonly Conv2d? conv_shortcut;
    private readonly Linear? time_emb_proj;
    private readonly BlockOptions options;
    private readonly double scale;
    private readonly Resampling up, down;

    public ResnetBlock2D(long inputs, long outputs, BlockOptions options, double scale = 1, long? groups = null, long? groupsOut = null,
        Resampling up = Resampling.None, Resampling down = Resampling.None, bool? shortcut = null) : base(nameof(ResnetBlock2D))
    {
        (this.options, this.scale, this.up, this.down) = (options, scale, up, down);
        norm1 = new(groups ?? options.GroupsOf(inputs), inputs, options.Epsilon);
        conv1 = new(inputs, outputs, 3, padding: 1);
        if (options.Embedding is { } width) time_emb_proj = new(width, options.ScaleShift ? 2 * outputs : outputs);
        norm2 = new(groupsOut ?? groups ?? options.GroupsOf(outputs), outputs, options.Epsilon);
        conv2 = new(outputs, outputs, 3, padding: 1);
        if (shortcut ?? inputs != outputs) conv_shortcut = new(inputs, outputs, 1);
        RegisterComponents();
    }

    /// <summary>Makes the block the identity (up to its shortcut) at the start of training.</summary>
    public void ZeroLast() => conv2.Zero();

    public override Tensor forward(Tensor x, Tensor? embedding)
    {
        using var scope = NewDisposeScope();
        var h = options.Act.Consume(norm1.call(x));
        if (up != Resampling.None) (x, h) = (Resample.Up(x, up), Replace(h, Resample.Up(h, up)));
        if (down != Resampling.None) (x, h) = (Resample.Down(x, down), Replace(h, Resample.Down(h, down)));
        h = Replace(h, conv1.call(h));
        h = Replace(h, time_emb_proj is null ? norm2.call(h) : Modulate(h, time_emb_proj.call(embedding!).to(h.dtype).unsqueeze(2).unsqueeze(3)));
        h = options.Act.Consume(h);
        if (options.Dropout > 0 && training) h = Replace(h, nn.functional.dropout(h, options.Dropout));
        // A convolution does not need its own result for its gradient, so that may be overwritten.
        h = Replace(h, conv2.call(h)).add_(conv_shortcut is null ? x : conv_shortcut.call(x));
        if (scale != 1) h = h.div_(scale);
        return h.MoveToOuterDisposeScope();
    }

    private Tensor Modulate(Tensor h, Tensor e)
    {
        if (!options.ScaleShift) return norm2.call(h.add_(e));
        var parts = e.chunk(2, 1);
        using var normed = norm2.call(h);
        return parts[1].addcmul(normed, parts[0] + 1, 1);
    }

    private static Tensor Replace(Tensor old, Tensor value)
    {
        old.Dispose();
        return value;
    }
}
