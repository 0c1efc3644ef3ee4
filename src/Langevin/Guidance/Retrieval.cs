using static TorchSharp.torch;

namespace Langevin.Guidance;

/// <summary>
/// An index of embeddings for retrieval-augmented sampling (Blattmann et al. 2022): a query's k nearest neighbours by cosine become a
/// slot of its condition, which the network reads.
/// </summary>
public sealed class RetrievalIndex : IDisposable
{
    private readonly Tensor embeddings, directions;

    /// <summary>An index of rows.</summary>
    /// <param name="embeddings">[M, D], M ≥ 1.</param>
    public RetrievalIndex(Tensor embeddings)
    {
        if (embeddings.dim() != 2 || embeddings.shape[0] == 0) throw new ArgumentException($"The embeddings are [{string.Join(", ", embeddings.shape)}], expected [M, D] with M ≥ 1.", nameof(embeddings));
        using var scope = NewDisposeScope();
        this.embeddings = embeddings.detach().clone().DetachFromDisposeScope();
        directions = Unit(embeddings.detach()).DetachFromDisposeScope();
    }

    /// <summary>The rows of the nearest neighbours, the nearest first: int64 [N, k].</summary>
    /// <param name="query">[N, D].</param>
    /// <param name="k">1 to M.</param>
    public Tensor Nearest(Tensor query, int k)
    {
        if (query.dim() != 2 || query.shape[1] != embeddings.shape[1]) throw new ArgumentException($"The query is [{string.Join(", ", query.shape)}], expected [N, {embeddings.shape[1]}].", nameof(query));
        if (k < 1 || k > embeddings.shape[0]) throw new ArgumentOutOfRangeException(nameof(k), k, $"The index holds {embeddings.shape[0]} embeddings: ask for 1 to as many.");
        using var scope = NewDisposeScope();
        return Unit(query.to(directions.dtype)).mm(directions.t()).topk(k, 1, largest: true, sorted: true).indexes.MoveToOuterDisposeScope();
    }

    /// <summary>A condition with the neighbours' embeddings in a slot, [N, k, D].</summary>
    /// <param name="condition">What else is known.</param>
    /// <param name="query">[N, D].</param>
    /// <param name="k">1 to M.</param>
    /// <param name="slot">The slot.</param>
    public Condition Retrieve(Condition condition, Tensor query, int k, string slot = "neighbours")
    {
        using var nearest = Nearest(query, k);
        return condition.With(slot, embeddings[nearest]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        embeddings.Dispose();
        directions.Dispose();
    }

    private static Tensor Unit(Tensor rows) => rows / rows.norm(1, keepdim: true).clamp_min(1e-12);
}
