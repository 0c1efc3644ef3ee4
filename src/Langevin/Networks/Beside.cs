using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// A network that is shown a condition's tensor as more channels beside its input, [x, c]: pictures to segment, to colour, to sharpen, or
/// vectors. Of what comes out, the channels in x's place are the answer.
/// </summary>
public sealed class Beside : Network
{
    private readonly Network inner;
    private readonly string slot;
    private readonly long? channels;

    /// <summary>Wraps a network, which becomes this one's.</summary>
    /// <param name="inner">Reads the input's channels and then the slot's; it gives as many as the input has, or more.</param>
    /// <param name="slot">The condition's slot, [N, channels, ...] of the input's size.</param>
    /// <param name="channels">Its channels, so that it sees zeros where the slot is empty, as without a condition; null where it never is.</param>
    public Beside(Network inner, string slot, long? channels = null) : base(nameof(Beside))
    {
        ArgumentNullException.ThrowIfNull(inner);
        (this.inner, this.slot, this.channels) = (inner, slot, channels);
        RegisterComponents();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The slot is empty, or its tensor does not fit.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        using var scope = NewDisposeScope();
        var shown = condition[slot] ?? (channels is { } count ? zeros([x.size(0), count, .. x.shape[2..]], x.dtype, x.device)
            : throw new ArgumentException($"The condition has nothing in its slot '{slot}'.", nameof(condition)));
        long[] shape = [x.size(0), channels ?? shown.size(1), .. x.shape[2..]];
        if (!shown.shape.SequenceEqual(shape))
            throw new ArgumentException($"Slot '{slot}' is [{string.Join(", ", shown.shape)}], expected [{string.Join(", ", shape)}].", nameof(condition));
        return inner.call(cat([x, shown.to(x.dtype)], 1), noise, condition).narrow(1, 0, x.size(1)).MoveToOuterDisposeScope();
    }
}
