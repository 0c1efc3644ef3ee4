using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>Brownian motion on a manifold and its way back, by geodesic random walks (De Bortoli et al. 2022, algorithms 1 and 2).</summary>
public static class GeodesicWalk
{
    /// <summary>Points after a time: steps exp_x(√h z) with z standard normal in the tangent space.</summary>
    /// <param name="manifold">The manifold.</param>
    /// <param name="x">Where they begin, [N, D].</param>
    /// <param name="time">τ of each, [N].</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="generator">The noise; libtorch's own if null.</param>
    public static Tensor Forward(Manifold manifold, Tensor x, Tensor time, int steps, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(manifold);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        using var scope = NewDisposeScope();
        var size = (time / steps).sqrt().unsqueeze(-1).to(x.dtype);
        var at = x.alias();
        for (int i = 0; i < steps; i++)
        {
            using var inner = NewDisposeScope();
            var z = randn(x.shape, x.dtype, generator: generator);
            at = manifold.Exp(at, size * manifold.Tangent(at, z)).MoveToOuterDisposeScope();
        }
        return at.MoveToOuterDisposeScope();
    }

    /// <summary>Samples from the even distribution back along a grid of times: steps exp_x(h s(x, τ) + √h z).</summary>
    /// <param name="field">The score.</param>
    /// <param name="x">Even points, [N, D]; see <see cref="Manifold.Uniform"/>.</param>
    /// <param name="grid">Times, descending; see <see cref="Times"/>.</param>
    /// <param name="noise">The noise.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public static Tensor Reverse(IScoreField field, Tensor x, TimeGrid grid, INoise noise, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentNullException.ThrowIfNull(noise);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var at = x.alias();
        for (int i = 0; i < grid.Steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            double h = grid[i] - grid[i + 1];
            var drift = h * field.Score(at, full([x.shape[0]], grid[i], ScalarType.Float64));
            at = field.Manifold.Exp(at, field.Manifold.Tangent(at, drift + Math.Sqrt(h) * noise.Next(at))).MoveToOuterDisposeScope();
        }
        return at.MoveToOuterDisposeScope();
    }

    /// <summary>Times that fall geometrically, as noise levels do.</summary>
    /// <param name="start">The largest, where all is even: about 5 on sphere and rotations.</param>
    /// <param name="end">The smallest.</param>
    /// <param name="steps">Number of steps.</param>
    public static TimeGrid Times(double start, double end, int steps) => new(Enumerable.Range(0, steps + 1).Select(i => start * Math.Pow(end / start, (double)i / steps)));
}
