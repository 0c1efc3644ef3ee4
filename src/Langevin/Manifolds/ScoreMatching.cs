using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>What a score on a manifold is taught by (De Bortoli et al. 2022, table 1).</summary>
public enum ScoreTarget
{
    /// <summary>The gradient of the heat kernel itself: denoising score matching.</summary>
    HeatKernel,

    /// <summary>log_x(x_0)/τ, which it becomes for short times (Varadhan).</summary>
    Varadhan,

    /// <summary>No target: ½‖s‖² + div s, which has the same minimum (implicit score matching).</summary>
    Implicit,
}

/// <summary>Score matching on a manifold: the loss τ ‖s(x_τ, τ) − target‖², x_τ by a geodesic random walk from x_0.</summary>
/// <param name="Target">What is taught.</param>
/// <param name="Steps">Steps of the walk.</param>
/// <param name="Start">Smallest time.</param>
/// <param name="End">Largest time.</param>
public sealed record ScoreMatching(ScoreTarget Target = ScoreTarget.HeatKernel, int Steps = 12, double Start = 1e-3, double End = 5)
{
    /// <summary>The loss of each point, [N], at a time of its own, even in ln τ.</summary>
    /// <param name="field">The score that learns.</param>
    /// <param name="x0">Data, float64 [N, D].</param>
    /// <param name="generator">Times and noise; libtorch's own if null.</param>
    public Tensor Loss(IScoreField field, Tensor x0, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(field);
        using var scope = NewDisposeScope();
        long count = x0.shape[0];
        var u = (rand([1], ScalarType.Float64, generator: generator) + arange(count, ScalarType.Float64) / count) % 1;
        var time = Start * (u * Math.Log(End / Start)).exp();
        Tensor x;
        using (no_grad()) x = GeodesicWalk.Forward(field.Manifold, x0, time, Steps, generator);
        return At(field, x0, x, time, generator).MoveToOuterDisposeScope();
    }

    /// <summary>The loss at points x that walks from x_0 came to, [N].</summary>
    public Tensor At(IScoreField field, Tensor x0, Tensor x, Tensor time, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(field);
        using var scope = NewDisposeScope();
        if (Target == ScoreTarget.Implicit) return Implicit(field, x, time, generator).MoveToOuterDisposeScope();
        Tensor wanted;
        using (no_grad()) wanted = Target == ScoreTarget.Varadhan ? field.Manifold.Log(x, x0) / time.unsqueeze(-1) : field.Manifold.Heat(x, x0, time).Score;
        return (time * (field.Score(x, time) - wanted).square().sum(1)).MoveToOuterDisposeScope();
    }

    // τ (‖s‖² + 2 div s), the divergence by one random tangent direction a point (Hutchinson).
    private static Tensor Implicit(IScoreField field, Tensor x, Tensor time, Generator? generator)
    {
        var frame = field.Manifold.Frame(x);
        var signs = rand([x.shape[0], frame.shape[1]], x.dtype, generator: generator).sub(0.5).sign();
        var e = (signs.unsqueeze(-1) * frame).sum(1);
        var input = x.detach().requires_grad_();
        var s = field.Score(input, time);
        var divergence = (Autograd.PullWithGraph(s, input, e, "The score") * e).sum(1);
        return time * (s.square().sum(1) + 2 * divergence);
    }
}
