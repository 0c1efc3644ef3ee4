using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>The flat torus of n angles, as (cos φ_1, …, cos φ_n, sin φ_1, …, sin φ_n) in R^2n.</summary>
/// <param name="n">Number of angles.</param>
public sealed class Torus(int n) : Manifold
{
    // Turns to either side that count: enough up to τ = 20, where all is even to 1e-4.
    private const int Turns = 8;

    /// <inheritdoc/>
    public override int Dimensions => n;

    /// <inheritdoc/>
    public override int Ambient => 2 * n;

    /// <inheritdoc/>
    public override double Volume => Math.Pow(2 * Math.PI, n);

    /// <summary>Points from angles [N, n].</summary>
    public static Tensor FromAngles(Tensor angles) => WrappedTensorDisposeScope(() => cat([angles.cos(), angles.sin()], -1));

    /// <summary>Angles in (−π, π], [N, n].</summary>
    public Tensor Angles(Tensor x) => WrappedTensorDisposeScope(() => atan2(x.narrow(-1, n, n), x.narrow(-1, 0, n)));

    /// <inheritdoc/>
    public override Tensor Project(Tensor x) => FromAngles(Angles(x));

    /// <inheritdoc/>
    public override Tensor Tangent(Tensor x, Tensor v) => WrappedTensorDisposeScope(() => Along(x, Speeds(x, v)));

    /// <inheritdoc/>
    public override Tensor Frame(Tensor x) => WrappedTensorDisposeScope(() =>
        cat([diag_embed(-x.narrow(-1, n, n)), diag_embed(x.narrow(-1, 0, n))], -1));

    /// <inheritdoc/>
    public override Tensor Exp(Tensor x, Tensor v) => WrappedTensorDisposeScope(() => FromAngles(Angles(x) + Speeds(x, v)));

    /// <inheritdoc/>
    public override Tensor Log(Tensor x, Tensor y) => WrappedTensorDisposeScope(() => Along(x, Turn(x, y)));

    /// <inheritdoc/>
    public override Tensor Uniform(long count, Generator? generator = null) =>
        WrappedTensorDisposeScope(() => FromAngles(2 * Math.PI * rand([count, n], ScalarType.Float64, generator: generator)));

    /// <summary>The heat kernel: a wrapped normal of variance τ in each angle.</summary>
    public override (Tensor Log, Tensor Score) Heat(Tensor x, Tensor y, Tensor time)
    {
        using var scope = NewDisposeScope();
        var variance = time.view(-1, 1, 1);
        var apart = Turn(y, x).unsqueeze(-1) + 2 * Math.PI * arange(-Turns, Turns + 1, ScalarType.Float64);
        var logits = -apart.square() / (2 * variance);
        var log = (logits.logsumexp(-1) - 0.5 * (2 * Math.PI * time).log().unsqueeze(-1)).sum(-1);
        var slope = (logits.softmax(-1) * -apart / variance).sum(-1);
        return (log.MoveToOuterDisposeScope(), Along(x, slope).MoveToOuterDisposeScope());
    }

    // dφ of tangent vectors, and back.
    private Tensor Speeds(Tensor x, Tensor v) => x.narrow(-1, 0, n) * v.narrow(-1, n, n) - x.narrow(-1, n, n) * v.narrow(-1, 0, n);
    private Tensor Along(Tensor x, Tensor speeds) => cat([-x.narrow(-1, n, n) * speeds, x.narrow(-1, 0, n) * speeds], -1);

    // The angles from x to y, in (−π, π].
    private Tensor Turn(Tensor x, Tensor y)
    {
        Tensor cx = x.narrow(-1, 0, n), sx = x.narrow(-1, n, n), cy = y.narrow(-1, 0, n), sy = y.narrow(-1, n, n);
        return atan2(cx * sy - sx * cy, cx * cy + sx * sy);
    }
}
