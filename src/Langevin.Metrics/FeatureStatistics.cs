using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>
/// Mean and covariance of feature rows, gathered batch by batch in float64, in memory that does not depend on how many
/// rows went in. Two of them merge exactly, so shards may be gathered apart.
/// </summary>
/// <remarks>
/// The update is the pairwise one of Chan, Golub and LeVeque (1979): with batch mean m_b of n_b rows and δ = m_b − m,
/// S ← S + X_cᵀX_c + δδᵀ·n·n_b/(n+n_b). Only the lower triangle of S is gathered, in column panels.
/// </remarks>
public sealed class FeatureStatistics : IDisposable
{
    private const long Panel = 256;

    private readonly Tensor mean;
    private readonly Tensor scatter;

    /// <summary>An empty accumulator.</summary>
    /// <param name="dimension">Number of features D, at least 1.</param>
    /// <param name="device">Where the sums live; the CPU when null.</param>
    public FeatureStatistics(long dimension, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        Dimension = dimension;
        mean = zeros(dimension, float64, device).DetachFromDisposeScope();
        scatter = zeros(dimension, dimension, float64, device).DetachFromDisposeScope();
    }

    /// <summary>Statistics of one matrix of features [N, D].</summary>
    public static FeatureStatistics Of(Tensor features)
    {
        Require.Matrix(features);
        var statistics = new FeatureStatistics(features.size(1), features.device);
        statistics.Add(features);
        return statistics;
    }

    /// <summary>Number of features D.</summary>
    public long Dimension { get; }

    /// <summary>Rows gathered so far.</summary>
    public long Count { get; private set; }

    /// <summary>A copy of the mean, float64 [D].</summary>
    public Tensor Mean() => mean.clone();

    /// <summary>The unbiased covariance (divisor N − 1), float64 [D, D].</summary>
    /// <exception cref="InvalidOperationException">Fewer than two rows were gathered.</exception>
    public Tensor Covariance()
    {
        if (Count < 2) throw new InvalidOperationException($"a covariance needs at least 2 samples, {Count} were added");
        using var scope = NewDisposeScope();
        return scatter.tril(0).add(scatter.tril(-1).t()).div(Count - 1).MoveToOuterDisposeScope();
    }

    /// <summary>Adds a batch.</summary>
    /// <param name="features">Floating point [N, D]; an empty batch adds nothing.</param>
    /// <exception cref="ArgumentException">Another width, or NaN or infinite features.</exception>
    public void Add(Tensor features)
    {
        Require.Matrix(features, rows: 0);
        if (features.size(1) != Dimension)
            throw new ArgumentException($"{features.size(1)} features where {Dimension} were declared", nameof(features));
        if (features.size(0) == 0) return;
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var x = features.to(float64, mean.device);
        Require.Finite(x, nameof(features));
        var m = x.mean([0]);
        var centred = x - m;
        for (long start = 0; start < Dimension; start += Panel)
        {
            long width = Math.Min(Panel, Dimension - start), height = Dimension - start;
            var below = scatter.narrow(0, start, height).narrow(1, start, width);
            below.addmm_(centred.narrow(1, start, height).t(), centred.narrow(1, start, width));
        }
        Shift(m, features.size(0));
    }

    /// <summary>Adds what another accumulator gathered; that one is unchanged.</summary>
    /// <exception cref="ArgumentException">Another width.</exception>
    public void Merge(FeatureStatistics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Dimension != Dimension)
            throw new ArgumentException($"{other.Dimension} features where {Dimension} are gathered here", nameof(other));
        if (other.Count == 0) return;
        using var scope = NewDisposeScope();
        scatter.add_(other.scatter.to(scatter.device));
        Shift(other.mean.to(mean.device), other.Count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mean.Dispose();
        scatter.Dispose();
    }

    private void Shift(Tensor otherMean, long otherCount)
    {
        double total = Count + otherCount;
        var delta = otherMean - mean;
        scatter.addr_(delta * (Count * (otherCount / total)), delta);
        mean.add_(delta, otherCount / total);
        Count += otherCount;
    }
}
