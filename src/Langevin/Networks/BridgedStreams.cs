using Langevin.Networks.Layers;
using Langevin.Networks.Sequences;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The network of DeScoD-ECG (Li et al. 2022, section III): one stream of half-normalised filter blocks reads x, another the signal that is
/// the condition, and after every block a bridge, which knows the noise level, adds what the first has found to the second. The second ends
/// in the answer.
/// </summary>
/// <remarks>
/// <c>forward(x [N, in_channels, L], noise [N], condition)</c> gives [N, in_channels, L]; the condition's slot <see cref="Slot"/> is
/// [N, condition_channels, L]. L must be above 7 times the largest dilation. Nothing depends on L, so any length will do at any time.
/// </remarks>
public sealed class BridgedStreams : Network
{
    /// <summary>Slot of the condition: a signal as long as x.</summary>
    public const string Slot = "signal";

    private readonly NoiseClassEmbedding embedding;
    private readonly Conv1d conv_x, conv_out;
    private readonly Conv1d? conv_cond;
    private readonly ModuleList<HalfNormalisedBlock> stream_x = new(), stream_cond = new();
    private readonly ModuleList<Bridge> bridges = new();

    /// <summary>A network with PyTorch's default initialisation.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public BridgedStreams(BridgedStreamsConfig config) : base(nameof(BridgedStreams))
    {
        config.Validate();
        Config = config;
        int channels = config.Channels;
        embedding = new(channels, 2 * channels, 0, nameof(BridgedStreams));
        conv_x = new(config.InChannels + (config.OneStream ? config.ConditionChannels : 0), channels, 9);
        if (!config.OneStream) conv_cond = new(config.ConditionChannels, channels, 9);
        foreach (int dilation in config.Dilations)
        {
            bridges.Add(new(channels, 2 * channels));
            stream_x.Add(new(channels, dilation));
            if (!config.OneStream) stream_cond.Add(new(channels, dilation));
        }
        bridges.Add(new(channels, 2 * channels));
        conv_out = new(channels, config.InChannels, 9);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public BridgedStreamsConfig Config { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or the condition has no signal.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        var signal = Signal(x, condition);
        using var scope = NewDisposeScope();
        var e = embedding.call(x, noise, Condition.None);
        return Reflecting.Apply(conv_out, conv_cond is null ? One(cat([x, signal], 1), e) : Two(x, signal, conv_cond, e), 4).MoveToOuterDisposeScope();
    }

    private Tensor Two(Tensor x, Tensor signal, Conv1d enter, Tensor e)
    {
        Tensor h = Enter(conv_x, x), c = Enter(enter, signal) + bridges[0].call(h, e);
        for (int i = 0; i < stream_x.Count; i++)
        {
            h = stream_x[i].call(h);
            c = stream_cond[i].call(c) + bridges[i + 1].call(h, e);
        }
        return c;
    }

    private Tensor One(Tensor both, Tensor e)
    {
        var h = Enter(conv_x, both);
        h = h + bridges[0].call(h, e);
        for (int i = 0; i < stream_x.Count; i++)
        {
            h = stream_x[i].call(h);
            h = h + bridges[i + 1].call(h, e);
        }
        return h;
    }

    private static Tensor Enter(Conv1d conv, Tensor x) => Reflecting.Activate(Reflecting.Apply(conv, x, 4));

    private Tensor Signal(Tensor x, Condition condition)
    {
        var shape = x.shape;
        if (shape.Length != 3 || shape[1] != Config.InChannels)
            throw new ArgumentException($"BridgedStreams: the input is [{string.Join(", ", shape)}], expected [N, {Config.InChannels}, L].", nameof(x));
        long shortest = HalfNormalisedBlock.Reach(Config.Dilations.Max()) + 1;
        if (shape[2] < shortest) throw new ArgumentException($"BridgedStreams: a length of {shape[2]} is shorter than the filters reach: it must be at least {shortest}.", nameof(x));
        var signal = condition[Slot] ?? throw new ArgumentException($"BridgedStreams: the condition has no slot '{Slot}': give [N, {Config.ConditionChannels}, L].", nameof(condition));
        long[] expected = [shape[0], Config.ConditionChannels, shape[2]];
        return signal.shape.SequenceEqual(expected) ? signal.to(x.dtype)
            : throw new ArgumentException($"BridgedStreams: the condition's signal is [{string.Join(", ", signal.shape)}], expected [{string.Join(", ", expected)}].", nameof(condition));
    }
}
