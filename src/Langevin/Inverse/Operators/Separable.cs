using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>A matrix along the columns and another along the rows of every channel: Y = L X Rᵀ. Down-sampling is of this kind.</summary>
public sealed class Separable : SpectralOperator
{
    private readonly Constant leftU, leftV, rightU, rightV, singular;
    private readonly long height, width, rows, columns;

    /// <summary>A separable operator.</summary>
    /// <param name="left">L, [h, H] with h ≤ H.</param>
    /// <param name="right">R, [w, W] with w ≤ W.</param>
    public Separable(Tensor left, Tensor right)
    {
        if (left.dim() != 2 || right.dim() != 2 || left.shape[0] > left.shape[1] || right.shape[0] > right.shape[1])
            throw new ArgumentException($"The factors are [{string.Join(", ", left.shape)}] and [{string.Join(", ", right.shape)}]; they must be matrices that are not taller than wide.", nameof(left));
        using var scope = NewDisposeScope();
        (rows, height, columns, width) = (left.shape[0], left.shape[1], right.shape[0], right.shape[1]);
        var (u, s, vt) = linalg.svd(left.to(ScalarType.Float64));
        (leftU, leftV) = (Hold(u), Hold(vt.t().contiguous()));
        (u, var z, vt) = linalg.svd(right.to(ScalarType.Float64));
        (rightU, rightV) = (Hold(u), Hold(vt.t().contiguous()));
        var product = Padded(s, height).unsqueeze(1) * Padded(z, width);
        singular = Hold(where(product > 1e-12 * product.max(), product, zeros_like(product)));
    }

    /// <summary>Down-sampling by means over squares of side <paramref name="factor"/>.</summary>
    public static Separable Average(long height, long width, long factor)
    {
        using var scope = NewDisposeScope();
        Tensor Means(long size) => eye(Whole(size, factor), dtype: ScalarType.Float64).repeat_interleave(factor, 1) / factor;
        return new(Means(height), Means(width));
    }

    /// <summary>Bicubic down-sampling, low-passed (Keys 1981's kernel of a = −1/2, widened by the factor; cut off and renormalised at the borders).</summary>
    public static Separable Bicubic(long height, long width, long factor)
    {
        using var scope = NewDisposeScope();
        Tensor Rows(long size)
        {
            var centre = ((arange(Whole(size, factor), ScalarType.Float64) + 0.5) * factor - 0.5).unsqueeze(1);
            var x = ((arange(size, ScalarType.Float64) - centre) / factor).abs();
            var near = (1.5 * x - 2.5) * x * x + 1;
            var far = ((-0.5 * x + 2.5) * x - 4) * x + 2;
            var weights = where(x < 1, near, where(x < 2, far, zeros_like(x)));
            return weights / weights.sum(1, keepdim: true);
        }
        return new(Rows(height), Rows(width));
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x)
    {
        Check(x, height, width);
        return einsum("hi,nchw,wj->ncij", leftV.For(x), x, rightV.For(x));
    }

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => einsum("hi,ncij,wj->nchw", leftV.For(c), c, rightV.For(c));

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => WrappedTensorDisposeScope(() => einsum("hi,ncij,wj->nchw", leftU.For(c), c.narrow(2, 0, rows).narrow(3, 0, columns), rightU.For(c)));

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => WrappedTensorDisposeScope(() =>
        nn.functional.pad(einsum("hi,nchw,wj->ncij", leftU.For(y), y, rightU.For(y)), [0, width - columns, 0, height - rows]) * singular.For(y).ne(0));

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);

    private static Tensor Padded(Tensor s, long size) => nn.functional.pad(s, [0, size - s.shape[0]]);

    private static long Whole(long size, long factor) => factor > 0 && size % factor == 0 ? size / factor
        : throw new ArgumentException($"A side of {size} pixels cannot be divided by {factor}: the factor must divide the picture's sides.", nameof(factor));
}
