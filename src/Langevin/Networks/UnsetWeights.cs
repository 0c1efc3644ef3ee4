using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// While it lives, the large layers that this thread builds leave their weights unset, in a type of its own: for networks whose weights
/// are about to be read. That saves drawing numbers, and the memory of single precision where half is wanted.
/// </summary>
public sealed class UnsetWeights : IDisposable
{
    [ThreadStatic] private static UnsetWeights? current;
    private readonly UnsetWeights? outer;
    private readonly ScalarType? type;

    /// <summary>Begins.</summary>
    /// <param name="type">Type of the weights; null for single precision.</param>
    public UnsetWeights(ScalarType? type = null)
    {
        (outer, this.type) = (current, type);
        current = this;
    }

    /// <summary>Ends; within another, that goes on.</summary>
    public void Dispose() => current = outer;

    /// <summary>A weight in U(±bound), or unset.</summary>
    internal static Parameter Uniform(double bound, params long[] shape) => nn.Parameter(current is { } unset ? empty(shape, unset.type) : empty(shape).uniform_(-bound, bound));

    /// <summary>A weight in N(0, 1), or unset.</summary>
    internal static Parameter Normal(params long[] shape) => nn.Parameter(current is { } unset ? empty(shape, unset.type) : randn(shape));
}
