using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A network that is shown a condition's tensor as more channels beside its input: pictures to segment, to colour, to sharpen. Where the slot
/// is empty it sees zeros, as without a condition.
/// </summary>
public sealed class Beside : Network
{
    private readonly Network inner;
    private readonly string slot;
    private readonly long channels;

    /// <summary>Wraps a network, which becomes this one's.</summary>
    /// <param name="inner">Reads the input's channels and then the slot's.</param>
    /// <param name="slot">The condition's slot, [N, channels, ...] of the input's size.</param>
    /// <param name="channels">Its channels.</param>
    public Beside(Network inner, string slot, long channels) : base(nameof(Beside))
    {
        ArgumentNullException.ThrowIfNull(inner);
        (this.inner, this.slot, this.channels) = (inner, slot, channels);
        RegisterComponents();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The slot's tensor does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        long[] shape = [x.size(0), channels, .. x.shape[2..]];
        var shown = condition[slot] ?? zeros(shape, x.dtype, x.device);
        if (!shown.shape.SequenceEqual(shape))
            throw new ArgumentException($"Slot '{slot}' is [{string.Join(", ", shown.shape)}], expected [{string.Join(", ", shape)}].", nameof(condition));
        return inner.call(cat([x, shown.to(x.dtype)], 1), noise, condition).MoveToOuterDisposeScope();
    }
}
