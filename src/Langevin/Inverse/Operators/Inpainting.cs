using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>Pixels that are seen and pixels that are not: y = m ⊙ x, with 0 where nothing is seen.</summary>
public sealed class Inpainting : SpectralOperator
{
    private readonly Constant mask;

    /// <summary>Inpainting.</summary>
    /// <param name="mask">[H, W], [C, H, W] or [N, C, H, W]: not 0 where a pixel is seen.</param>
    public Inpainting(Tensor mask)
    {
        if (mask.dim() is < 2 or > 4) throw new ArgumentException($"A mask is [H, W], [C, H, W] or [N, C, H, W]; this one is [{string.Join(", ", mask.shape)}].", nameof(mask));
        using var scope = NewDisposeScope();
        this.mask = Hold(mask.ne(0).to(ScalarType.Float64));
    }

    /// <summary>The mask: 1 where a pixel is seen; the operator's own.</summary>
    public Tensor Mask(Tensor like) => mask.For(like);

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x) => x.alias();

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => c.alias();

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => mask.For(c) * c;

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => mask.For(y) * y;

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => mask.For(like);
}
