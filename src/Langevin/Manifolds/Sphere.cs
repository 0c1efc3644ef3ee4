using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>The unit sphere S² in R³.</summary>
public sealed class Sphere : Manifold
{
    // Below this time, and where the density has fallen by e^-18, the series is lost in rounding: its expansion for short times takes over.
    private const double Short = 0.01, Deep = 18;
    private const int Terms = 90;

    /// <inheritdoc/>
    public override int Dimensions => 2;

    /// <inheritdoc/>
    public override int Ambient => 3;

    /// <inheritdoc/>
    public override double Volume => 4 * Math.PI;

    /// <inheritdoc/>
    public override Tensor Project(Tensor x) => WrappedTensorDisposeScope(() => x / x.square().sum(-1, keepdim: true).sqrt());

    /// <inheritdoc/>
    public override Tensor Tangent(Tensor x, Tensor v) => WrappedTensorDisposeScope(() => v - (x * v).sum(-1, keepdim: true) * x);

    /// <inheritdoc/>
    public override Tensor Frame(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        // From the axis that x is least along.
        var axis = nn.functional.one_hot(x.abs().argmin(-1), 3).to(x.dtype);
        var first = Project(Tangent(x, axis));
        return stack([first, linalg.cross(x, first)], 1);
    });

    /// <inheritdoc/>
    public override Tensor Exp(Tensor x, Tensor v) => WrappedTensorDisposeScope(() =>
    {
        var length = v.square().sum(-1, keepdim: true).sqrt();
        return Project(length.cos() * x + (length / Math.PI).sinc() * v);
    });

    /// <inheritdoc/>
    public override Tensor Log(Tensor x, Tensor y) => WrappedTensorDisposeScope(() =>
    {
        var across = Tangent(x, y);
        var sine = across.square().sum(-1, keepdim: true).sqrt();
        var angle = atan2(sine, (x * y).sum(-1, keepdim: true));
        return across * where(sine > 0, angle / sine.clamp_min(1e-300), 1);
    });

    /// <inheritdoc/>
    public override Tensor Uniform(long count, Generator? generator = null) => WrappedTensorDisposeScope(() => Project(randn([count, 3], ScalarType.Float64, generator: generator)));

    /// <summary>The heat kernel by Legendre's polynomials, Σ (2l + 1)/4π e^{−l(l+1)τ/2} P_l(cos θ), or for short times and far points by its expansion to first order in τ.</summary>
    public override (Tensor Log, Tensor Score) Heat(Tensor x, Tensor y, Tensor time)
    {
        using var scope = NewDisposeScope();
        Tensor cosine = (x * y).sum(-1), across = Tangent(x, y), sine = across.square().sum(-1).sqrt(), angle = atan2(sine, cosine);
        var early = (time < Short).logical_or(angle.square() / (2 * time) > Deep);

        var (sum, slope) = Series(cosine, where(early, 1.0, time));
        // log √(θ/sin θ) and first-order term; near 0 both by their own series, and at the antipode held where the expansion ends.
        var theta = angle.clamp(1e-3, Math.PI - 1e-2);
        Tensor cot = theta.cos() / theta.sin(), bend = (1 - theta * cot) / theta.square(), correction = time * (1 + bend) / 8;
        var near = -angle.square() / (2 * time) - (2 * Math.PI * time).log() + 0.5 * (theta / theta.sin()).log() + correction.log1p();
        // d/dθ of it, over −sin θ.
        var dBend = (-cot + theta / theta.sin().square()) / theta.square() - 2 * bend / theta;
        var nearSlope = (angle / time - 0.5 * (1 / theta - cot) - time * dBend / 8 / (1 + correction)) / sine.clamp_min(1e-300);
        nearSlope = where(angle < 1e-3, 1 / time - 1.0 / 6, nearSlope);

        var log = where(early, near, sum.clamp_min(1e-300).log());
        var score = where(early, nearSlope, slope / sum).unsqueeze(-1) * across;
        return (log.MoveToOuterDisposeScope(), score.MoveToOuterDisposeScope());
    }

    // Σ (2l + 1)/4π e^{−l(l+1)τ/2} P_l(c) and its derivative in c: P_{l+1} = ((2l + 1) c P_l − l P_{l−1})/(l + 1), P'_{l+1} = P'_{l−1} + (2l + 1) P_l.
    private static (Tensor Sum, Tensor Slope) Series(Tensor c, Tensor time)
    {
        using var scope = NewDisposeScope();
        int terms = (int)Math.Min(Terms, Math.Ceiling(Math.Sqrt(80 / time.min().item<double>()) + 2));
        Tensor before = zeros_like(c), now = ones_like(c), slopeBefore = zeros_like(c), slopeNow = zeros_like(c), sum = zeros_like(c), slope = zeros_like(c);
        for (int l = 0; l < terms; l++)
        {
            using var inner = NewDisposeScope();
            var weight = (2 * l + 1) / (4 * Math.PI) * (-0.5 * l * (l + 1) * time).exp();
            var next = ((2 * l + 1) * c * now - l * before) / (l + 1);
            var slopeNext = slopeBefore + (2 * l + 1) * now;
            (sum, slope) = (sum + weight * now, slope + weight * slopeNow);
            (before, now, slopeBefore, slopeNow) = (now.alias(), next, slopeNow.alias(), slopeNext);
            foreach (var kept in (Tensor[])[sum, slope, before, now, slopeBefore, slopeNow]) kept.MoveToOuterDisposeScope();
        }
        return (sum.MoveToOuterDisposeScope(), slope.MoveToOuterDisposeScope());
    }
}
