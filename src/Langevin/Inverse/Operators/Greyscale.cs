using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>A weighted sum of the channels, y = Σ w_c x_c: what is left of a colour picture that is made grey.</summary>
public sealed class Greyscale : SpectralOperator
{
    private readonly Constant basis, singular;

    /// <summary>Grey by weights, of equal thirds unless given.</summary>
    /// <param name="weights">One a channel, not all 0; (0.299, 0.587, 0.114) is BT.601's luma.</param>
    public Greyscale(params double[] weights)
    {
        using var scope = NewDisposeScope();
        if (weights.Length == 0) weights = [1 / 3.0, 1 / 3.0, 1 / 3.0];
        var w = tensor(weights, ScalarType.Float64);
        double norm = Math.Sqrt(weights.Sum(v => v * v));
        if (!(norm > 0)) throw new ArgumentException("The weights of the channels are all 0.", nameof(weights));
        // Householder's reflection of the first unit vector onto w: orthonormal, with w/|w| its first column.
        var first = zeros_like(w);
        first[0] = tensor(1.0);
        var normal = first - w / norm;
        double length = normal.square().sum().item<double>();
        basis = Hold(length < 1e-30 ? eye(weights.Length, dtype: ScalarType.Float64) : eye(weights.Length, dtype: ScalarType.Float64) - 2 / length * normal.unsqueeze(1) * normal);
        singular = Hold((norm * first).view(1, -1, 1, 1));
    }

    /// <inheritdoc/>
    public override Tensor Vt(Tensor x) => einsum("cd,nchw->ndhw", basis.For(x), x);

    /// <inheritdoc/>
    public override Tensor V(Tensor c) => einsum("cd,ndhw->nchw", basis.For(c), c);

    /// <inheritdoc/>
    public override Tensor U(Tensor c) => c.narrow(1, 0, 1);

    /// <inheritdoc/>
    public override Tensor Ut(Tensor y) => nn.functional.pad(y, [0, 0, 0, 0, 0, singular.For(y).shape[1] - 1]);

    /// <inheritdoc/>
    public override Tensor SingularValues(Tensor like) => singular.For(like);
}
