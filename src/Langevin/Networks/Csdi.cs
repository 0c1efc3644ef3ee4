using Langevin.Networks.Layers;
using Langevin.Networks.Sequences;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The network of CSDI (Tashiro et al. 2021, section 4 and appendix D) for series of which a part is given: residual blocks that attend
/// over time, then over features, with the keys and numerics of the original, so that its authors' weights load.
/// </summary>
/// <remarks>
/// <c>forward(x [N, target_dim, L], noise [N], condition)</c> gives ε̂ [N, target_dim, L], for any L. The noise is the integer step. The
/// condition is <see cref="Given"/>'s; where a value is given, x is not read and the answer means nothing. Its unconditional twin
/// (<see cref="Condition.Null"/>) is that nothing is given.
/// </remarks>
public sealed class Csdi : Network
{
    /// <summary>Slot of what is given: [N, target_dim, L]; any finite number where nothing is.</summary>
    public const string ValuesSlot = "values";

    /// <summary>Slot of where something is given: 1 there and 0 elsewhere, [N, target_dim, L].</summary>
    public const string MaskSlot = "mask";

    /// <summary>Slot of the times of the columns, [N, L], in the unit the network was trained with; 0, 1, 2, ... where it is empty.</summary>
    public const string TimesSlot = "times";

    /// <summary>Slot of side information of another kind, in place of the times, the features' vectors and the mask that the original has: [N, timeemb + featureemb + 1, target_dim, L]. Usually empty.</summary>
    public const string SideSlot = "side";

    private readonly Embedding embed_layer;
    private readonly CsdiStack diffmodel;

    /// <summary>A network initialised as the original is: its last layer answers a constant.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Csdi(CsdiConfig config) : base(nameof(Csdi))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        embed_layer = new(config.TargetDim, config.Featureemb);
        diffmodel = new(config);
        RegisterComponents();
    }

    /// <summary>The shape of the network.</summary>
    public CsdiConfig Config { get; }

    /// <summary>The condition that says what is known of a series.</summary>
    /// <param name="values">[N, K, L].</param>
    /// <param name="mask">[N, K, L]: 1 where the value is known, 0 elsewhere.</param>
    /// <param name="times">[N, L], or null for 0, 1, 2, ...</param>
    public static Condition Given(Tensor values, Tensor mask, Tensor? times = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(mask);
        var condition = Condition.None.With(ValuesSlot, values).With(MaskSlot, mask);
        return times is null ? condition : condition.With(TimesSlot, times);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A shape does not fit, or the condition says nothing of what is given.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        if (x.dim() != 3 || x.shape[1] != Config.TargetDim || x.shape[2] == 0)
            throw new ArgumentException($"Csdi: the input is [{string.Join(", ", x.shape)}], expected [N, {Config.TargetDim}, L].", nameof(x));
        Check.Noise(noise, x, nameof(Csdi));
        using var scope = NewDisposeScope();
        var mask = Config.IsUnconditional ? null : Slot(condition, MaskSlot, x).unsqueeze(-1);
        var noisy = x.unsqueeze(-1);
        var input = mask is null ? noisy : cat([mask * Slot(condition, ValuesSlot, x).unsqueeze(-1), (1 - mask) * noisy], -1);
        var side = new SideInformation(Times(condition, x), embed_layer.Table.to(x.dtype), mask) { Whole = Side(condition, x) };
        return diffmodel.Run(input, side, noise).squeeze(-1).MoveToOuterDisposeScope();
    }

    private Tensor? Side(Condition condition, Tensor x)
    {
        if (condition[SideSlot] is not { } side) return null;
        long[] expected = [x.shape[0], Config.Timeemb + Config.Featureemb + (Config.IsUnconditional ? 0 : 1), x.shape[1], x.shape[2]];
        return side.shape.SequenceEqual(expected) ? side.to(x.dtype).permute(0, 2, 3, 1)
            : throw new ArgumentException($"Csdi: the condition's {SideSlot} are [{string.Join(", ", side.shape)}], expected [{string.Join(", ", expected)}].", nameof(condition));
    }

    private static Tensor Slot(Condition condition, string name, Tensor x)
    {
        var value = condition[name] ?? throw new ArgumentException($"Csdi: the condition has no slot '{name}': give Csdi.Given(values, mask), or its Null() where nothing is given.", nameof(condition));
        if (!value.shape.SequenceEqual(x.shape))
            throw new ArgumentException($"Csdi: the condition's {name} are [{string.Join(", ", value.shape)}], expected those of the input, [{string.Join(", ", x.shape)}].", nameof(condition));
        return value.to(x.dtype);
    }

    // Sines (even columns) and cosines (odd) of the times, [N or 1, L, timeemb].
    private Tensor Times(Condition condition, Tensor x)
    {
        long length = x.shape[2];
        var times = condition[TimesSlot] ?? arange(length, x.dtype, x.device).unsqueeze(0);
        if (times.dim() != 2 || times.shape[1] != length || (times.shape[0] != x.shape[0] && times.shape[0] != 1))
            throw new ArgumentException($"Csdi: the condition's times are [{string.Join(", ", times.shape)}], expected [{x.shape[0]}, {length}].", nameof(condition));
        var type = x.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var frequencies = 1 / pow(10000, arange(0, Config.Timeemb, 2, type, x.device) / Config.Timeemb);
        var angle = times.to(type).unsqueeze(-1) * frequencies;
        return stack([angle.sin(), angle.cos()], -1).flatten(-2).to(x.dtype);
    }
}

/// <summary>What a block is told besides the series: each place's time [N or 1, L, T], each feature's vector [K, F], and whether a value is given [N, K, L, 1].</summary>
internal sealed record SideInformation(Tensor Times, Tensor Features, Tensor? Mask)
{
    /// <summary>What takes the place of all three, [N, K, L, T + F + 1]; null for nothing.</summary>
    public Tensor? Whole { get; init; }
}
