using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>
/// The rotations SO(3), each as the nine entries of its matrix over √2: then the length of a geodesic is the angle it turns by.
/// </summary>
public sealed class Rotations : Manifold
{
    private static readonly double Root = Math.Sqrt(2);

    /// <inheritdoc/>
    public override int Dimensions => 3;

    /// <inheritdoc/>
    public override int Ambient => 9;

    /// <inheritdoc/>
    public override double Volume => 8 * Math.PI * Math.PI;

    /// <summary>Points from matrices [N, 3, 3].</summary>
    public static Tensor FromMatrices(Tensor matrices) => WrappedTensorDisposeScope(() => matrices.reshape(-1, 9) / Root);

    /// <summary>Matrices [N, 3, 3].</summary>
    public static Tensor Matrices(Tensor x) => WrappedTensorDisposeScope(() => x.reshape(-1, 3, 3) * Root);

    /// <summary>The nearest rotation: U diag(1, 1, det(U Vᵀ)) Vᵀ of the singular value decomposition.</summary>
    public override Tensor Project(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var (u, _, vh) = linalg.svd(Matrices(x), fullMatrices: false);
        var sign = linalg.det(u.bmm(vh)).view(-1, 1, 1);
        var last = cat([u.narrow(2, 0, 2), u.narrow(2, 2, 1) * sign], 2);
        return FromMatrices(last.bmm(vh));
    });

    /// <inheritdoc/>
    public override Tensor Tangent(Tensor x, Tensor v) => WrappedTensorDisposeScope(() => Along(x, Turning(x, v)));

    /// <inheritdoc/>
    public override Tensor Frame(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var axes = eye(3, dtype: x.dtype);
        return stack([.. Enumerable.Range(0, 3).Select(i => Along(x, axes[i].expand(x.shape[0], 3)))], 1);
    });

    /// <summary>Rodrigues' formula.</summary>
    public override Tensor Exp(Tensor x, Tensor v) => WrappedTensorDisposeScope(() =>
    {
        var turn = Turning(x, v);
        var angle = turn.square().sum(-1).sqrt().view(-1, 1, 1);
        var k = Hat(turn);
        // sin a / a and (1 − cos a)/a² = ½ (sin(a/2)/(a/2))².
        var rotation = eye(3, dtype: x.dtype) + (angle / Math.PI).sinc() * k + 0.5 * (angle / (2 * Math.PI)).sinc().square() * k.bmm(k);
        return FromMatrices(Matrices(x).bmm(rotation));
    });

    /// <inheritdoc/>
    public override Tensor Log(Tensor x, Tensor y) => WrappedTensorDisposeScope(() => Along(x, Turn(x, y)));

    /// <inheritdoc/>
    public override Tensor Uniform(long count, Generator? generator = null) => WrappedTensorDisposeScope(() => FromMatrices(OfQuaternions(nn.functional.normalize(randn([count, 4], ScalarType.Float64, generator: generator), dim: 1))));

    /// <summary>
    /// The heat kernel by the characters of the group, Σ (2l + 1)/8π² e^{−l(l+1)τ/2} sin((l + ½) ω)/sin(ω/2), or, for τ below 1, by Poisson's summation of the
    /// same, e^{τ/8} √(2π) τ^{−3/2} Σ (−1)^k (ω − 2πk) e^{−(ω − 2πk)²/2τ}/sin(ω/2).
    /// </summary>
    public override (Tensor Log, Tensor Score) Heat(Tensor x, Tensor y, Tensor time)
    {
        using var scope = NewDisposeScope();
        var turn = Turn(y, x);
        // Off the axis, where numerator and denominator vanish together.
        Tensor angle = turn.square().sum(-1).sqrt().clamp_min(1e-4), half = angle / 2, early = time < 1;

        var t = where(early, 1.0, time).unsqueeze(-1);
        var l = arange(0, 14, ScalarType.Float64);
        var weight = (2 * l + 1) * (-0.5 * l * (l + 1) * t).exp();
        var phase = (l + 0.5) * angle.unsqueeze(-1);
        Tensor late = (weight * phase.sin()).sum(-1), lateSlope = (weight * (l + 0.5) * phase.cos()).sum(-1);

        var s = where(early, time, 1.0).unsqueeze(-1);
        var k = arange(-3, 4, ScalarType.Float64);
        var apart = angle.unsqueeze(-1) - 2 * Math.PI * k;
        // Relative to the nearest image, so that nothing underflows.
        var sign = 1 - 2 * (k.abs() % 2);
        var size = sign * ((angle.unsqueeze(-1).square() - apart.square()) / (2 * s)).exp();
        Tensor sum = (size * apart).sum(-1), sumSlope = (size * (1 - apart.square() / s)).sum(-1);

        double even = Math.Log(Volume);
        var log = where(early, sum.clamp_min(1e-300).log() - angle.square() / (2 * s.squeeze(-1)) + s.squeeze(-1) / 8 + 0.5 * Math.Log(2 * Math.PI) - 1.5 * s.squeeze(-1).log(),
            late.clamp_min(1e-300).log()) - half.sin().log() - even;
        var slope = where(early, sumSlope / sum, lateSlope / late) - 0.5 * half.cos() / half.sin();
        // The gradient of ω is the turn's own direction.
        return (log.MoveToOuterDisposeScope(), Along(x, (slope / angle).unsqueeze(-1) * turn).MoveToOuterDisposeScope());
    }

    // ω of tangent vectors X hat(ω)/√2, and back.
    private static Tensor Turning(Tensor x, Tensor v)
    {
        var k = Matrices(x).transpose(1, 2).bmm(Matrices(v));
        return 0.5 * stack([k[.., 2, 1] - k[.., 1, 2], k[.., 0, 2] - k[.., 2, 0], k[.., 1, 0] - k[.., 0, 1]], -1);
    }

    private static Tensor Along(Tensor x, Tensor turn) => FromMatrices(Matrices(x).bmm(Hat(turn)));

    private static Tensor Hat(Tensor w)
    {
        var zero = zeros_like(w[.., 0]);
        return stack([zero, -w[.., 2], w[.., 1], w[.., 2], zero, -w[.., 0], -w[.., 1], w[.., 0], zero], -1).view(-1, 3, 3);
    }

    // The turn from x to y in x's own axes, by the quaternion of XᵀY: well-conditioned up to half a turn.
    private static Tensor Turn(Tensor x, Tensor y)
    {
        var q = Quaternions(Matrices(x).transpose(1, 2).bmm(Matrices(y)));
        var vector = q.narrow(1, 1, 3);
        var sine = vector.square().sum(-1, keepdim: true).sqrt();
        return vector * where(sine > 1e-12, 2 * atan2(sine, q.narrow(1, 0, 1)) / sine.clamp_min(1e-12), 2);
    }

    // (w, x, y, z) with w ≥ 0, by the largest of the four (Shepperd 1978).
    private static Tensor Quaternions(Tensor r)
    {
        Tensor a = r[.., 0, 0], b = r[.., 1, 1], c = r[.., 2, 2];
        Tensor wx = r[.., 2, 1] - r[.., 1, 2], wy = r[.., 0, 2] - r[.., 2, 0], wz = r[.., 1, 0] - r[.., 0, 1];
        Tensor xy = r[.., 0, 1] + r[.., 1, 0], xz = r[.., 0, 2] + r[.., 2, 0], yz = r[.., 1, 2] + r[.., 2, 1];
        var rows = stack([
            stack([1 + a + b + c, wx, wy, wz], -1), stack([wx, 1 + a - b - c, xy, xz], -1),
            stack([wy, xy, 1 - a + b - c, yz], -1), stack([wz, xz, yz, 1 - a - b + c], -1)], 1);
        var largest = stack([1 + a + b + c, 1 + a - b - c, 1 - a + b - c, 1 - a - b + c], -1).argmax(-1);
        var q = nn.functional.normalize(rows.gather(1, largest.view(-1, 1, 1).expand(-1, 1, 4)).squeeze(1), dim: 1);
        return where(q.narrow(1, 0, 1) < 0, -q, q);
    }

    private static Tensor OfQuaternions(Tensor q)
    {
        Tensor w = q[.., 0], x = q[.., 1], y = q[.., 2], z = q[.., 3];
        return stack([
            1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1).view(-1, 3, 3);
    }
}
