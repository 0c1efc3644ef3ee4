using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>
/// A compact manifold without boundary, lying isometrically in R^D: points and tangent vectors are rows [N, D], and lengths are Euclidean. Time on
/// it is that of Brownian motion dY = dB, whose density solves ∂p/∂τ = ½ Δp and comes to be even (De Bortoli et al. 2022, section 3).
/// </summary>
public abstract class Manifold
{
    /// <summary>d, the manifold's own dimension.</summary>
    public abstract int Dimensions { get; }

    /// <summary>D, of the space it lies in.</summary>
    public abstract int Ambient { get; }

    /// <summary>Its volume; the even density is 1 over it.</summary>
    public abstract double Volume { get; }

    /// <summary>The nearest point of the manifold, [N, D].</summary>
    public abstract Tensor Project(Tensor x);

    /// <summary>The part of v that is tangent at x, [N, D].</summary>
    public abstract Tensor Tangent(Tensor x, Tensor v);

    /// <summary>An orthonormal basis of the tangent space at x, [N, d, D].</summary>
    public abstract Tensor Frame(Tensor x);

    /// <summary>Where the geodesic from x with velocity v is after unit time.</summary>
    /// <param name="x">Points.</param>
    /// <param name="v">Tangent vectors at them.</param>
    public abstract Tensor Exp(Tensor x, Tensor v);

    /// <summary>The tangent vector at x whose geodesic comes to y in unit time, the shortest; any of them where there are several.</summary>
    public abstract Tensor Log(Tensor x, Tensor y);

    /// <summary>The length of the shortest geodesic, [N].</summary>
    public virtual Tensor Distance(Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        return Log(x, y).square().sum(-1).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary>Points drawn evenly, float64 [count, D].</summary>
    public abstract Tensor Uniform(long count, Generator? generator = null);

    /// <summary>The heat kernel p_τ(x | y), the density at x of Brownian motion that began at y, and its gradient in x.</summary>
    /// <param name="x">float64 [N, D].</param>
    /// <param name="y">float64 [N, D].</param>
    /// <param name="time">τ &gt; 0, float64 [N].</param>
    /// <returns>log p [N], and ∇_x log p, tangent at x, [N, D].</returns>
    public abstract (Tensor Log, Tensor Score) Heat(Tensor x, Tensor y, Tensor time);
}
