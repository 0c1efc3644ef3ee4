using static TorchSharp.torch;

namespace Langevin.Metrics.PointClouds;

/// <summary>The earth mover's distance between clouds of equal size: the cost of the best one-to-one matching, exact.</summary>
public static class EarthMover
{
    /// <summary>Mean cost of a matched pair, [N], and the matching: point k of the first goes to point matching[n, k] of the second.</summary>
    /// <param name="first">[N, P, D].</param>
    /// <param name="second">[N, P, D].</param>
    /// <param name="squared">Cost |x − y|² instead of |x − y|.</param>
    public static (Tensor cost, Tensor matching) Between(Tensor first, Tensor second, bool squared = false)
    {
        Clouds.Check(first, second);
        if (first.size(1) != second.size(1))
            throw new ArgumentException($"{second.size(1)} points where the other cloud has {first.size(1)}: a matching needs equal counts", nameof(second));
        using var scope = NewDisposeScope();
        var (costs, matchings) = (new List<Tensor>(), new List<Tensor>());
        for (long n = 0; n < first.size(0); n++)
        {
            using var one = NewDisposeScope();
            var cost = Clouds.Squared(first[n].unsqueeze(0), second[n].unsqueeze(0))[0];
            if (!squared) cost = cost.sqrt();
            var matching = Assignment.Solve(cost);
            costs.Add(cost.gather(1, matching.to(cost.device).unsqueeze(1)).mean().MoveToOuterDisposeScope());
            matchings.Add(matching.MoveToOuterDisposeScope());
        }
        return (stack(costs).MoveToOuterDisposeScope(), stack(matchings).MoveToOuterDisposeScope());
    }
}
