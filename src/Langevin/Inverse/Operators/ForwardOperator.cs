using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// What is seen of a picture, y = A(x) + σ_y n. Works on batches [N, C, H, W] of any floating type and device, sample by sample.
/// </summary>
public abstract class ForwardOperator : IDisposable
{
    private readonly List<Constant> constants = [];

    /// <summary>A(x).</summary>
    public abstract Tensor Forward(Tensor x);

    /// <summary>A⁺ y: the least picture that explains y best; for an operator that is not linear, a decoder with A(A⁺ y) = y for every y = A(x).</summary>
    public abstract Tensor PseudoInverse(Tensor y);

    /// <summary>The gradient of ⟨A(x), r⟩ with respect to x: Aᵀ r for a linear operator.</summary>
    /// <param name="x">Where the operator is linearised.</param>
    /// <param name="r">Shaped as A(x).</param>
    public abstract Tensor Pullback(Tensor x, Tensor r);

    /// <summary>A measurement of x: A(x) + σ_y n.</summary>
    /// <param name="x">The truth.</param>
    /// <param name="sigma">σ_y ≥ 0.</param>
    /// <param name="noise">The source of n; a fixed seed when null.</param>
    public virtual Tensor Measure(Tensor x, double sigma = 0, INoise? noise = null)
    {
        using var scope = NewDisposeScope();
        var y = Forward(x);
        return (sigma > 0 ? y + sigma * (noise ?? new SeededNoise(0)).Next(y) : y).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var constant in constants) constant.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps a table of the operator, float64 or int64, until the operator is disposed.</summary>
    private protected Constant Hold(Tensor value)
    {
        constants.Add(new(value));
        return constants[^1];
    }

    /// <summary>Throws unless the batch is [N, ..., <paramref name="shape"/>].</summary>
    private protected static void Check(Tensor x, params long[] shape)
    {
        if (x.dim() != 4 || !x.shape[^shape.Length..].SequenceEqual(shape))
            throw new ArgumentException($"x is [{string.Join(", ", x.shape)}]; this operator is for pictures [N, {(shape.Length < 3 ? "C, " : "")}{string.Join(", ", shape)}].", nameof(x));
    }
}

/// <summary>A table in double that is brought to the type and the device of what it meets, once for each.</summary>
internal sealed class Constant : IDisposable
{
    private readonly Dictionary<(ScalarType, string), Tensor> copies = [];
    private readonly Tensor value;

    public Constant(Tensor value) => this.value = value.detach().clone().DetachFromDisposeScope();

    /// <summary>The table for a batch: real of the batch's precision, complex or integer if it is so itself.</summary>
    public Tensor For(Tensor like)
    {
        bool single = like.dtype is not (ScalarType.Float64 or ScalarType.ComplexFloat64);
        var type = value.dtype switch
        {
            ScalarType.Float64 => like.dtype is ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64 ? (single ? ScalarType.Float32 : ScalarType.Float64) : like.dtype,
            ScalarType.ComplexFloat64 => single ? ScalarType.ComplexFloat32 : ScalarType.ComplexFloat64,
            var own => own,
        };
        lock (copies)
        {
            var key = (type, like.device.ToString());
            if (!copies.TryGetValue(key, out var copy)) copies[key] = copy = value.to(type, like.device, copy: true).DetachFromDisposeScope();
            return copy;
        }
    }

    public void Dispose()
    {
        value.Dispose();
        foreach (var copy in copies.Values) copy.Dispose();
        copies.Clear();
    }
}
