using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>Any matrix on pictures of a shape: y = A x as vectors [N, M], its decomposition computed once. For small pictures.</summary>
public sealed class DenseOperator : SpectralOperator
{
    private readonly Constant left, right, singular;
    private readonly long[] itemShape;

    /// <summary>An operator from its matrix.</summary>
    /// <param name="matrix">A, [M, D].</param>
    /// <param name="itemShape">C, H, W, with C·H·W = D.</param>
    public DenseOperator(Tensor matrix, params long[] itemShape)
    {
        if (matrix.dim() != 2 || matrix.shape[1] != itemShape.Aggregate(1L, (a, b) => a * b))
            throw new ArgumentException($"The matrix is [{string.Join(", ", matrix.shape)}]; it needs a column for each number of a sample [{string.Join(", ", itemShape)}].", nameof(matrix));
        using var scope = NewDisposeScope();
        this.itemShape = itemShape;
        var (u, s, vt) = linalg.svd(matrix.to(ScalarType.Float64));
        left = Hold(u.narrow(1, 0, s.shape[0]).contiguous());
        right = Hold(vt.t().contiguous());
        singular = Hold(nn.functional.pad(where(s > 1e-12 * s.max(), s, zeros_like(s)), [0, matrix.shape[1] - s.shape[0]]));
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x) => WrappedTensorDisposeScope(() => einsum("de,nd->ne", right.For(x), x.reshape(x.shape[0], -1)));

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => WrappedTensorDisposeScope(() => einsum("de,ne->nd", right.For(c), c).view([c.shape[0], .. itemShape]));

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => WrappedTensorDisposeScope(() => einsum("me,ne->nm", left.For(c), c.narrow(1, 0, left.For(c).shape[1])));

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => WrappedTensorDisposeScope(() =>
        nn.functional.pad(einsum("me,nm->ne", left.For(y), y), [0, right.For(y).shape[0] - left.For(y).shape[1]]) * singular.For(y).ne(0));

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);
}
