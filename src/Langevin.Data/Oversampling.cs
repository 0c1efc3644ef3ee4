using static TorchSharp.torch;

namespace Langevin.Data;

/// <summary>Synthetic rows and how they were made: row i lies between two given rows, From + Share (To − From).</summary>
/// <param name="Rows">[M, D], of the given rows' type.</param>
/// <param name="From">int64 [M]: the row it starts from.</param>
/// <param name="To">int64 [M]: the neighbour it goes towards.</param>
/// <param name="Share">float64 [M], in [0, 1): how far.</param>
public sealed record SyntheticRows(Tensor Rows, Tensor From, Tensor To, Tensor Share) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Rows.Dispose();
        From.Dispose();
        To.Dispose();
        Share.Dispose();
    }
}

/// <summary>
/// More rows of a rare class, for training on unbalanced tables. Distances are Euclidean over the columns as they are given: scale
/// them first (<see cref="Standardised"/>).
/// </summary>
public static class Oversampling
{
    /// <summary>
    /// SMOTE (Chawla, Bowyer, Hall and Kegelmeyer 2002, section 4.2): x + u (x_nn − x), x_nn one of the k nearest other rows of the
    /// class, u uniform. Every row is started from equally often, up to one.
    /// </summary>
    /// <param name="minority">Floating [N, D], the rows of the rare class, N at least 2.</param>
    /// <param name="count">How many rows M to make, at least 1.</param>
    /// <param name="neighbours">k, at least 1; all others where there are fewer.</param>
    /// <param name="seed">Decides rows, neighbours and shares.</param>
    /// <exception cref="ArgumentException">No table of at least two rows.</exception>
    public static SyntheticRows Smote(Tensor minority, int count, int neighbours = 5, long seed = 0)
    {
        Check(minority, nameof(minority));
        using var all = arange(minority.size(0), ScalarType.Int64);
        return Between(minority, all, count, neighbours, seed);
    }

    /// <summary>
    /// Borderline-SMOTE (Han, Wang and Mao 2005, the first variant): as <see cref="Smote"/>, but only rows in danger are started from,
    /// those with at least half but not all of their m nearest rows in the other class. Where no row is in danger, all are.
    /// </summary>
    /// <param name="minority">Floating [N, D], the rows of the rare class, N at least 2.</param>
    /// <param name="majority">[N', D], all other rows.</param>
    /// <param name="count">How many rows M to make, at least 1.</param>
    /// <param name="neighbours">k, at least 1; all others where there are fewer.</param>
    /// <param name="surroundings">m, at least 1; all others where there are fewer.</param>
    /// <param name="seed">Decides rows, neighbours and shares.</param>
    /// <exception cref="ArgumentException">No tables of the same columns.</exception>
    public static SyntheticRows Borderline(Tensor minority, Tensor majority, int count, int neighbours = 5, int surroundings = 10, long seed = 0)
    {
        Check(minority, nameof(minority));
        ArgumentNullException.ThrowIfNull(majority);
        ArgumentOutOfRangeException.ThrowIfLessThan(surroundings, 1);
        if (majority.dim() != 2 || majority.size(1) != minority.size(1)) throw new ArgumentException($"The other rows are [{string.Join(", ", majority.shape)}]: expected [N, {minority.size(1)}].", nameof(majority));
        using var scope = NewDisposeScope();
        long m = Math.Min(surroundings, minority.size(0) + majority.size(0) - 1);
        var others = Nearest(minority, cat([minority, majority.to(minority.dtype)]), m).ge(minority.size(0)).sum(1);
        var danger = others.mul(2).ge(m).logical_and(others.lt(m)).nonzero().flatten();
        if (danger.numel() == 0) danger = arange(minority.size(0), ScalarType.Int64);
        var made = Between(minority, danger, count, neighbours, seed);
        return new(made.Rows.MoveToOuterDisposeScope(), made.From.MoveToOuterDisposeScope(), made.To.MoveToOuterDisposeScope(), made.Share.MoveToOuterDisposeScope());
    }

    private static SyntheticRows Between(Tensor rows, Tensor starts, int count, int neighbours, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        long k = Math.Min(neighbours, rows.size(0) - 1);
        var nearest = Nearest(rows.index_select(0, starts), rows, k, starts);
        // Rows take turns, in an order of their own.
        var turn = randperm(starts.numel(), generator: generator).index_select(0, arange(count, ScalarType.Int64).remainder(starts.numel()));
        var from = starts.index_select(0, turn);
        var which = randint(k, [count, 1L], ScalarType.Int64, generator: generator);
        var to = nearest.index_select(0, turn).gather(1, which).squeeze(1);
        var share = rand([count], ScalarType.Float64, generator: generator);
        var x = rows.index_select(0, from);
        var made = x + share.to(rows.dtype).unsqueeze(1) * (rows.index_select(0, to) - x);
        return new(made.MoveToOuterDisposeScope(), from.MoveToOuterDisposeScope(), to.MoveToOuterDisposeScope(), share.MoveToOuterDisposeScope());
    }

    // The nearest rows of each, int64 [N, count]; a row is no neighbour of its own. The rows themselves lie at 'own' among all, 0, 1, ... where null.
    private static Tensor Nearest(Tensor rows, Tensor all, long count, Tensor? own = null) => WrappedTensorDisposeScope(() =>
    {
        var distance = cdist(rows.to(ScalarType.Float64), all.to(ScalarType.Float64));
        var self = (own ?? arange(rows.size(0), ScalarType.Int64)).unsqueeze(1);
        return distance.scatter(1, self, full_like(self, double.PositiveInfinity, ScalarType.Float64)).topk((int)count, 1, largest: false, sorted: true).indexes;
    });

    private static void Check(Tensor minority, string name)
    {
        ArgumentNullException.ThrowIfNull(minority, name);
        if (minority.dim() != 2 || minority.size(0) < 2 || minority.size(1) < 1 || !minority.is_floating_point())
            throw new ArgumentException($"The rows are {minority.dtype} [{string.Join(", ", minority.shape)}]: expected floating [N, D] of at least two rows.", name);
    }
}
