using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>x_t = c + Σ_k A_k x_{t−k} + noise of one covariance: least squares, or the plainest forecasts that there are.</summary>
public sealed class LinearAutoregression : IDisposable
{
    private readonly Tensor weights, root; // [p D + 1, D], nearest lag first, the constant last; [D, D] with noise z rootᵀ
    private readonly int order;

    private LinearAutoregression(int order, Tensor weights, Tensor past, Tensor next)
    {
        using var scope = NewDisposeScope();
        var rest = next - past.mm(weights);
        long d = next.size(1);
        this.order = order;
        this.weights = weights.alias().DetachFromDisposeScope();
        root = linalg.cholesky(rest.t().mm(rest) / rest.size(0) + 1e-9 * eye(d, dtype: ScalarType.Float64)).DetachFromDisposeScope();
    }

    /// <summary>A vector autoregression by least squares.</summary>
    /// <param name="series">[N, T, D], T above p.</param>
    /// <param name="order">p, at least 1.</param>
    public static LinearAutoregression Fit(Tensor series, int order)
    {
        using var scope = NewDisposeScope();
        var (past, next) = Regression(series, order);
        var gram = past.t().mm(past);
        // So small a ridge matters only where columns repeat each other.
        return new(order, linalg.solve(gram + 1e-9 * gram.diagonal(0, 0, 1).mean() * eye(gram.size(0), dtype: ScalarType.Float64), past.t().mm(next)), past, next);
    }

    /// <summary>The value a season ago, with noise as large as its errors: persistence for a season of 1.</summary>
    /// <param name="series">[N, T, D], T above the season.</param>
    /// <param name="season">Steps.</param>
    public static LinearAutoregression Repeat(Tensor series, int season = 1)
    {
        using var scope = NewDisposeScope();
        var (past, next) = Regression(series, season);
        long d = next.size(1);
        return new(season, cat([zeros([(season - 1) * d, d], ScalarType.Float64), eye(d, dtype: ScalarType.Float64), zeros([1, d], ScalarType.Float64)]), past, next);
    }

    /// <summary>float64 [p D + 1, D]: A_1ᵀ, …, A_pᵀ, cᵀ. Not to be disposed or changed.</summary>
    public Tensor Weights => weights;

    /// <summary>Draws what comes next.</summary>
    /// <param name="beginning">[N, C, D], C at least p.</param>
    /// <param name="steps">How many values.</param>
    /// <param name="seed">Seed of the noise; none is added where null.</param>
    /// <returns>[N, steps, D].</returns>
    public Tensor Continue(Tensor beginning, int steps, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(beginning);
        if (beginning.dim() != 3 || beginning.size(1) < order) throw new ArgumentException($"The beginning is [{string.Join(", ", beginning.shape)}], expected [N, {order} or more, D].", nameof(beginning));
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(seed ?? 0));
        long n = beginning.size(0), d = beginning.size(2);
        var recent = Enumerable.Range(1, order).Select(k => beginning.select(1, beginning.size(1) - k).to(ScalarType.Float64)).ToList();
        for (int t = 0; t < steps; t++)
        {
            var x = cat([.. recent.Take(order), ones([n, 1], ScalarType.Float64)], 1).mm(weights);
            if (seed is not null) x += randn([n, d], ScalarType.Float64, generator: generator).mm(root.t());
            recent.Insert(0, x);
        }
        return stack(recent.Take(steps).Reverse(), 1).to(beginning.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        weights.Dispose();
        root.Dispose();
    }

    // Rows (x_{t−1}, …, x_{t−p}, 1) and x_t of all series and times.
    private static (Tensor Past, Tensor Next) Regression(Tensor series, int order)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        if (series.dim() != 3 || series.size(1) <= order) throw new ArgumentException($"The series are [{string.Join(", ", series.shape)}], expected [N, more than {order}, D].", nameof(series));
        var x = series.to(ScalarType.Float64);
        long length = x.size(1) - order, rows = x.size(0) * length;
        var lags = Enumerable.Range(1, order).Select(k => x.narrow(1, order - k, length).reshape(rows, -1));
        return (cat([.. lags, ones([rows, 1], ScalarType.Float64)], 1), x.narrow(1, order, length).reshape(rows, -1));
    }
}
