using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>A linear measurement, y = A x + σ_y n.</summary>
public abstract class LinearOperator : ForwardOperator
{
    /// <summary>Iterations of conjugate gradients where no decomposition is known.</summary>
    public int Iterations { get; init; } = 30;

    /// <summary>Aᵀ y.</summary>
    public abstract Tensor Adjoint(Tensor y);

    /// <inheritdoc/>
    public override Tensor Pullback(Tensor x, Tensor r) => Adjoint(r);

    /// <inheritdoc/>
    public override Tensor PseudoInverse(Tensor y) => RidgeInverse(y, 0);

    /// <summary>
    /// (AᵀA + ρ I)⁻¹ Aᵀ y = Aᵀ (A Aᵀ + ρ I)⁻¹ y: the minimum of ‖y − A x‖² + ρ ‖x‖², or its limit A⁺ y for ρ = 0. By conjugate gradients
    /// on the normal equations from 0 unless the operator's decomposition is known.
    /// </summary>
    /// <param name="y">The measurement.</param>
    /// <param name="ridge">ρ ≥ 0.</param>
    public virtual Tensor RidgeInverse(Tensor y, double ridge)
    {
        using var scope = NewDisposeScope();
        Tensor r = y, s = Adjoint(y), p = s, x = zeros_like(s), norm = Dot(s, s), least = norm * (y.dtype == ScalarType.Float64 ? 1e-28 : 1e-12);
        for (int i = 0; i < Iterations; i++)
        {
            using var step = NewDisposeScope();
            var q = Forward(p);
            // A sample that has converged to rounding stays where it is: going on, conjugate gradients would diverge.
            var a = where(norm > least, norm / (Dot(q, q) + ridge * Dot(p, p)), zeros_like(norm));
            x = x + Fit(a, x) * p;
            r = r - Fit(a, r) * q;
            s = Adjoint(r) - ridge * x;
            var next = Dot(s, s);
            p = s + Fit(where(norm > least, next / norm, zeros_like(norm)), s) * p;
            norm = next;
            foreach (var kept in (Tensor[])[x, r, p, norm]) kept.MoveToOuterDisposeScope();
        }
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The matrix [M, D] of the operator on pictures of a shape, column by column: for small pictures.</summary>
    /// <param name="itemShape">C, H, W.</param>
    public Tensor Dense(params long[] itemShape)
    {
        using var scope = NewDisposeScope();
        long size = itemShape.Aggregate(1L, (a, b) => a * b);
        return Forward(eye(size, dtype: ScalarType.Float64).view([size, .. itemShape])).reshape(size, -1).t().contiguous().MoveToOuterDisposeScope();
    }

    // ⟨a, b⟩ of each sample, [N].
    private static Tensor Dot(Tensor a, Tensor b) => (a * b).flatten(1).sum(1);

    private static Tensor Fit(Tensor each, Tensor like) => each.view([-1, .. Enumerable.Repeat(1L, (int)like.dim() - 1)]);
}

/// <summary>
/// A linear measurement with a known singular value decomposition A = U S Vᵀ, whose factors are applied as functions.
/// </summary>
/// <remarks>
/// A spectrum has a coordinate for every dimension of the picture, and s = 0 where nothing is measured. Where V is a Fourier transform
/// the coordinates are complex, and transposes are adjoints.
/// </remarks>
public abstract class SpectralOperator : LinearOperator
{
    /// <summary>Vᵀ x: the spectrum of a picture, of the same norm.</summary>
    public abstract Tensor Vt(Tensor x);

    /// <summary>V c: the picture of a spectrum.</summary>
    public abstract Tensor V(Tensor c);

    /// <summary>U c, of the coordinates with s &gt; 0; the others are left out.</summary>
    public abstract Tensor U(Tensor c);

    /// <summary>Uᵀ y, shaped as a spectrum, with 0 where s = 0.</summary>
    public abstract Tensor Ut(Tensor y);

    /// <summary>The singular values, ≥ 0, real, to multiply a spectrum (by broadcasting) of a picture as <paramref name="like"/>; the operator's own.</summary>
    public abstract Tensor SingularValues(Tensor like);

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => WrappedTensorDisposeScope(() => U(SingularValues(x) * Vt(x)));

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor y) => WrappedTensorDisposeScope(() => V(SingularValues(y) * Ut(y)));

    /// <inheritdoc/>
    public override Tensor RidgeInverse(Tensor y, double ridge) => WrappedTensorDisposeScope(() =>
    {
        var s = SingularValues(y);
        return V(where(s > 0, s / (s * s + ridge), zeros_like(s)) * Ut(y));
    });
}
