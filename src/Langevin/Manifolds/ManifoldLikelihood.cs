using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>
/// log p of points by the probability flow dY/dτ = −½ s(Y, τ): log p(x) = −log Volume + ∫ div(−½ s) dτ along the flow from x to where all is even (De Bortoli et al.
/// 2022, section 3.3 and appendix E). The divergence is exact, by a product for each tangent direction.
/// </summary>
/// <param name="Start">The time at which x is taken to lie.</param>
/// <param name="End">The time at which all is even.</param>
/// <param name="Tolerance">Relative and absolute tolerance of the adaptive solver.</param>
public sealed record ManifoldLikelihood(double Start = 1e-3, double End = 5, double Tolerance = 1e-5)
{
    /// <summary>log p, nats per unit volume, float64 [N].</summary>
    /// <param name="field">The score, which must depend on x differentiably.</param>
    /// <param name="x">Points, [N, D].</param>
    /// <param name="cancellation">Stops between steps.</param>
    public Tensor Evaluate(IScoreField field, Tensor x, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(field);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        long count = x.shape[0], size = x.shape[1];
        var manifold = field.Manifold;
        // In ln τ, dτ = τ d ln τ.
        Tensor Slope(Tensor state, double u)
        {
            using var inner = NewDisposeScope();
            double tau = Math.Exp(u);
            var at = manifold.Project(state.narrow(1, 0, size));
            var (velocity, divergence) = Flow(field, at, tau);
            return (tau * cat([velocity, divergence.unsqueeze(1)], 1)).MoveToOuterDisposeScope();
        }
        var solver = new RungeKutta45(Slope, Tolerance, Tolerance, cancellation);
        var start = cat([x.to(ScalarType.Float64), zeros([count, 1], ScalarType.Float64)], 1);
        var end = solver.Integrate(start, Math.Log(Start), Math.Log(End));
        return (end.select(1, size) - Math.Log(manifold.Volume)).MoveToOuterDisposeScope();
    }

    /// <summary>−½ s and its divergence on the manifold, [N, D] and [N].</summary>
    public static (Tensor Velocity, Tensor Divergence) Flow(IScoreField field, Tensor x, double time)
    {
        ArgumentNullException.ThrowIfNull(field);
        using var scope = NewDisposeScope();
        long count = x.shape[0];
        var frame = field.Manifold.Frame(x);
        long directions = frame.shape[1];
        using (enable_grad())
        {
            // A copy of the batch for each direction e: Σ eᵀ (∂v/∂x) e.
            var input = x.repeat(directions, 1).detach().requires_grad_();
            var velocity = -0.5 * field.Score(input, full([count * directions], time, ScalarType.Float64));
            var e = frame.transpose(0, 1).reshape(-1, x.shape[1]);
            var divergence = (Autograd.Pull(velocity, input, e, "The score") * e).sum(1).view(directions, count).sum([0L]);
            return (velocity.detach().narrow(0, 0, count).MoveToOuterDisposeScope(), divergence.MoveToOuterDisposeScope());
        }
    }
}
