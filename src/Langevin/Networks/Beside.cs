using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>A network that reads a vector of the condition beside its input: [x, c] goes in, and of what comes out the part in x's place is the answer.</summary>
public sealed class Beside : Network
{
    private readonly Network inner;
    private readonly string slot;

    /// <summary>Wraps a network.</summary>
    /// <param name="inner">A network of vectors of both lengths together.</param>
    /// <param name="slot">The condition's slot, [N, C].</param>
    public Beside(Network inner, string slot) : base(nameof(Beside))
    {
        (this.inner, this.slot) = (inner, slot);
        RegisterComponents();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The slot is empty.</exception>
    public override Tensor forward(Tensor x, Tensor noise, Condition condition)
    {
        var told = condition[slot] ?? throw new ArgumentException($"The condition has nothing in its slot '{slot}'.", nameof(condition));
        using var scope = NewDisposeScope();
        return inner.call(cat([x, told.to(x.dtype)], 1), noise, Condition.None).narrow(1, 0, x.shape[1]).MoveToOuterDisposeScope();
    }
}
