using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Activation = Langevin.Networks.Layers.Activation;
using GroupNorm = Langevin.Networks.Layers.GroupNorm;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks.Guided;

/// <summary>What a block makes of features and embedding. The reference's sequences hold them by their number.</summary>
internal abstract class GuidedBlock(string name) : nn.Module<Tensor, Tensor, Tensor>(name)
{
    /// <summary>Layers of the reference that have no weights stand in its numbering.</summary>
    protected static nn.Module<Tensor, Tensor> NoWeights() => nn.Identity();

    /// <summary>A convolution in one dimension or two.</summary>
    public static Conv Convolution(int dims, long inputs, long outputs, long kernel, long stride = 1) =>
        dims == 1 ? new Layers.Conv1d(inputs, outputs, kernel, stride, kernel / 2) : new Layers.Conv2d(inputs, outputs, kernel, stride, kernel / 2);

    /// <summary>A norm of 32 groups.</summary>
    public static GroupNorm Norm(long channels) => new(32, channels, 1e-5);

    /// <summary>Half the size by means of two or four, or twice by repetition.</summary>
    public static Tensor Resized(Tensor x, bool up)
    {
        if (!up) return x.dim() == 3 ? nn.functional.avg_pool1d(x, 2) : nn.functional.avg_pool2d(x, 2);
        double[] factors = x.dim() == 3 ? [2] : [2, 2];
        return nn.functional.interpolate(x, scale_factor: factors, mode: InterpolationMode.Nearest);
    }
}

/// <summary>Blocks one after another.</summary>
internal sealed class GuidedSequence : GuidedBlock
{
    private readonly List<GuidedBlock> blocks = [];

    public GuidedSequence(params GuidedBlock?[] blocks) : base(nameof(GuidedSequence))
    {
        foreach (var block in blocks.OfType<GuidedBlock>())
        {
            register_module($"{this.blocks.Count}", block);
            this.blocks.Add(block);
        }
    }

    public override Tensor forward(Tensor x, Tensor e) => blocks.Aggregate(x, (h, block) => block.call(h, e));
}

/// <summary>A convolution that does not read the embedding: the first block, whose keys are its own.</summary>
internal sealed class GuidedConv : GuidedBlock
{
    private readonly Parameter weight, bias;
    private readonly int dims;

    public GuidedConv(int dims, long inputs, long outputs) : base(nameof(GuidedConv))
    {
        this.dims = dims;
        long[] shape = [outputs, inputs, .. Enumerable.Repeat(3L, dims)];
        double bound = 1 / Math.Sqrt(inputs * Math.Pow(3, dims));
        (weight, bias) = (nn.Parameter(empty(shape).uniform_(-bound, bound)), nn.Parameter(empty(outputs).uniform_(-bound, bound)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor e) => dims == 1 ? nn.functional.conv1d(x, weight, bias, padding: 1) : nn.functional.conv2d(x, weight, bias, padding: [1, 1]);
}

/// <summary>skip(x) + conv(silu(norm(conv(silu(norm x)), embedding))), halving or doubling between if asked for (Dhariwal and Nichol 2021, appendix B).</summary>
internal sealed class GuidedResBlock : GuidedBlock
{
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> in_layers, emb_layers, out_layers;
    private readonly nn.Module<Tensor, Tensor> skip_connection;
    private readonly bool scaleShift;
    private readonly bool? up;
    private readonly double dropout;

    /// <param name="config">The network's shape.</param>
    /// <param name="inputs">Channels it reads.</param>
    /// <param name="outputs">Channels it gives.</param>
    /// <param name="up">Doubles or halves; null for neither.</param>
    public GuidedResBlock(GuidedUNetConfig config, long inputs, long outputs, bool? up = null) : base(nameof(GuidedResBlock))
    {
        (scaleShift, dropout, this.up) = (config.UseScaleShiftNorm, config.Dropout, up);
        in_layers = new(Norm(inputs), NoWeights(), Convolution(config.Dims, inputs, outputs, 3));
        emb_layers = new(NoWeights(), new Linear(4 * config.ModelChannels, scaleShift ? 2 * outputs : outputs));
        var last = Convolution(config.Dims, outputs, outputs, 3);
        last.Zero();
        out_layers = new(Norm(outputs), NoWeights(), NoWeights(), last);
        skip_connection = inputs == outputs ? NoWeights() : Convolution(config.Dims, inputs, outputs, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor e)
    {
        using var scope = NewDisposeScope();
        var h = Activation.SiLU.Consume(in_layers[0].call(x));
        if (up is { } doubles) (h, x) = (Resized(h, doubles), Resized(x, doubles));
        h = in_layers[2].call(h);
        var told = emb_layers[1].call(e.silu());
        told = told.view([.. told.shape, .. Enumerable.Repeat(1L, (int)h.dim() - 2)]);
        if (scaleShift)
        {
            var parts = told.chunk(2, 1);
            h = out_layers[0].call(h) * (1 + parts[0]) + parts[1];
        }
        else h = out_layers[0].call(h + told);
        h = h.silu();
        if (training && dropout > 0) h = nn.functional.dropout(h, dropout);
        return (skip_connection.call(x) + out_layers[3].call(h)).MoveToOuterDisposeScope();
    }
}

/// <summary>Half the size by a convolution of stride two, or by means.</summary>
internal sealed class GuidedDownsample : GuidedBlock
{
    private readonly Conv? op;

    public GuidedDownsample(GuidedUNetConfig config, long channels) : base(nameof(GuidedDownsample))
    {
        if (config.ConvResample) op = Convolution(config.Dims, channels, channels, 3, stride: 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor e) => op is null ? Resized(x, up: false) : op.call(x);
}

/// <summary>Twice the size by repetition, then a convolution if there is one.</summary>
internal sealed class GuidedUpsample : GuidedBlock
{
    private readonly Conv? conv;

    public GuidedUpsample(GuidedUNetConfig config, long channels) : base(nameof(GuidedUpsample))
    {
        if (config.ConvResample) conv = Convolution(config.Dims, channels, channels, 3);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor e)
    {
        if (conv is null) return Resized(x, up: true);
        using var large = Resized(x, up: true);
        return conv.call(large);
    }
}

/// <summary>x + W attention(V norm(x)) over all places.</summary>
internal sealed class GuidedAttention : GuidedBlock
{
    private readonly GroupNorm norm;
    private readonly Layers.Conv1d qkv, proj_out;
    private readonly long heads;
    private readonly bool splitFirst;

    public GuidedAttention(GuidedUNetConfig config, int channels, bool up = false) : base(nameof(GuidedAttention))
    {
        (heads, splitFirst) = (config.Heads(channels, up), config.UseNewAttentionOrder);
        norm = Norm(channels);
        qkv = new(channels, 3 * channels, 1);
        proj_out = new(channels, channels, 1);
        proj_out.Zero();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor e)
    {
        using var scope = NewDisposeScope();
        var mixed = Mix(qkv.call(norm.call(x).flatten(2)), heads, splitFirst);
        return (x + proj_out.call(mixed).view(x.shape)).MoveToOuterDisposeScope();
    }

    /// <summary>Attention of [N, 3 C, L], whose channels are queries, keys and values of all heads one after another, or head by head; [N, C, L].</summary>
    public static Tensor Mix(Tensor qkv, long heads, bool splitFirst)
    {
        long n = qkv.size(0), width = qkv.size(1) / (3 * heads), length = qkv.size(2);
        var parts = (splitFirst ? qkv.view(n, 3, heads, width, length) : qkv.view(n, heads, 3, width, length).transpose(1, 2)).transpose(3, 4).unbind(1);
        return Attention.Of(parts[0], parts[1], parts[2]).transpose(2, 3).reshape(n, heads * width, length);
    }
}
