using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// Data of many dimensions that vary in a few: x_0 = Uᵀ z + w, where z is a mixture of Gaussians in the subspace that U's rows span and w is
/// normal across it. Exact as <see cref="GaussianMixture"/> is, at the cost of two thin products.
/// </summary>
public sealed class SubspaceMixture : IDenoiser, IDisposable
{
    private readonly GaussianMixture inside;
    private readonly Tensor basis; // [R, D]
    private readonly double std;
    private readonly long[] itemShape;

    /// <summary>A mixture in a subspace.</summary>
    /// <param name="inside">The mixture of z, samples [R]; disposed with this.</param>
    /// <param name="basis">U, [R, ...]: orthonormal rows, shaped as the data after the first dimension.</param>
    /// <param name="std">Standard deviation of the data across the subspace, ≥ 0.</param>
    public SubspaceMixture(GaussianMixture inside, Tensor basis, double std)
    {
        if (!(std >= 0)) throw new ArgumentOutOfRangeException(nameof(std), std, "The standard deviation across the subspace is 0 or more.");
        using var scope = NewDisposeScope();
        var rows = basis.flatten(1);
        if ((rows.mm(rows.t()) - eye(rows.shape[0], dtype: rows.dtype)).abs().max().to(ScalarType.Float64).item<double>() > 1e-4)
            throw new ArgumentException("The rows of the basis must be orthonormal (linalg.qr makes them so).", nameof(basis));
        (this.inside, this.std, itemShape) = (inside, std, basis.shape[1..]);
        this.basis = rows.clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public GaussianProcess Process => inside.Process;

    /// <summary>The mixture of the coordinates z.</summary>
    public GaussianMixture Inside => inside;

    /// <summary>Samples as coordinates in the subspace: [N, ...] to [N, R].</summary>
    public Tensor Coordinates(Tensor x) => nn.functional.linear(x.flatten(1), basis.to(x.dtype).to(x.device));

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var z = Coordinates(x);
        var said = inside.Denoise(z, t, Condition.None);
        // Across the subspace: E[x_0 | x] = α s²/v x and E[ε | x] = σ/v x with v = α² s² + σ².
        double Variance(double u) => Math.Pow(Process.Alpha(u) * std, 2) + Math.Pow(Process.Sigma(u), 2);
        var rows = x.flatten(1);
        Tensor Join(Tensor along, Func<double, double> across)
        {
            var gain = t.Map(across, rows);
            return (gain * rows + Out(along - gain * z)).view(x.shape).MoveToOuterDisposeScope();
        }
        return new(Join(said.X0, u => Process.Alpha(u) * std * std / Variance(u)), Join(said.Epsilon, u => Process.Sigma(u) / Variance(u)), x, Process, t);
    }

    /// <summary>log p_t(x), exact, in nats: [N].</summary>
    public Tensor LogProbability(Tensor x, Times t)
    {
        using var scope = NewDisposeScope();
        var z = Coordinates(x);
        var variance = t.Vector(u => Math.Pow(Process.Alpha(u) * std, 2) + Math.Pow(Process.Sigma(u), 2)).to(x.dtype);
        var across = x.flatten(1).square().sum(1) - z.square().sum(1);
        long dimensions = basis.shape[1] - basis.shape[0];
        return (inside.LogProbability(z, t) - 0.5 * (across / variance + dimensions * (2 * Math.PI * variance).log())).MoveToOuterDisposeScope();
    }

    /// <summary>Draws clean data [count, ...] with a generator.</summary>
    public Tensor Draw(long count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var z = inside.Draw(count, generator);
        var w = std * randn([count, basis.shape[1]], z.dtype, generator: generator);
        return (w + Out(z - nn.functional.linear(w, basis.to(w.dtype)))).view([count, .. itemShape]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        inside.Dispose();
        basis.Dispose();
    }

    private Tensor Out(Tensor z) => z.mm(basis.to(z.dtype).to(z.device));
}
