using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Fidelity and diversity by nearest-neighbour balls.</summary>
/// <param name="Precision">Share of the generated samples inside some real sample's ball.</param>
/// <param name="Recall">Share of the real samples inside some generated sample's ball.</param>
/// <param name="Density">Mean number of real balls around a generated sample, over k; may exceed 1.</param>
/// <param name="Coverage">Share of the real samples whose ball holds a generated sample.</param>
/// <param name="Neighbours">k.</param>
public sealed record PrecisionRecallResult(double Precision, double Recall, double Density, double Coverage, int Neighbours);

/// <summary>The four numbers with their intervals.</summary>
/// <param name="Value">The numbers.</param>
/// <param name="Precision">Wilson interval over the generated samples, the balls taken as given.</param>
/// <param name="Recall">Wilson interval over the real samples, the balls taken as given.</param>
/// <param name="Density">Bootstrap interval over the generated samples, the balls taken as given.</param>
/// <param name="Coverage">Wilson interval over the real samples, the generated ones taken as given.</param>
public sealed record PrecisionRecallIntervals(PrecisionRecallResult Value, Interval Precision, Interval Recall, Interval Density, Interval Coverage);

/// <summary>
/// Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991) and density and coverage (Naeem et al. 2020,
/// arXiv:2002.09797). A sample's ball reaches, exclusively, to its k-th nearest neighbour within its own set.
/// </summary>
public static class PrecisionRecall
{
    /// <summary>All four numbers in one pass over the pairs, by blocks.</summary>
    /// <param name="real">[N, D], N &gt; k.</param>
    /// <param name="generated">[M, D], M &gt; k.</param>
    /// <param name="neighbours">k, at least 1.</param>
    public static PrecisionRecallResult Between(Tensor real, Tensor generated, int neighbours = 5)
    {
        using var scope = NewDisposeScope();
        return Numbers(Members(real, generated, neighbours), neighbours);
    }

    /// <summary>The same with intervals.</summary>
    /// <param name="real">[N, D], N &gt; k.</param>
    /// <param name="generated">[M, D], M &gt; k.</param>
    /// <param name="neighbours">k, at least 1.</param>
    /// <param name="resamples">Bootstrap resamples of the density.</param>
    /// <param name="level">Confidence level.</param>
    /// <param name="seed">Seed of the resampling.</param>
    public static PrecisionRecallIntervals WithIntervals(
        Tensor real, Tensor generated, int neighbours = 5, int resamples = 200, double level = 0.95, long seed = 0)
    {
        using var scope = NewDisposeScope();
        var members = Members(real, generated, neighbours);
        Interval Share(Tensor inside) => Interval.Wilson(inside.sum().item<long>(), inside.size(0), level);
        var balls = members.Balls.cpu().to(float64) / neighbours;
        return new(
            Numbers(members, neighbours), Share(members.Balls.gt(0)), Share(members.Recalled),
            Bootstrap.Interval(balls.size(0), i => balls.index_select(0, i).mean().item<double>(), resamples, level, seed), Share(members.Covered));
    }

    private static PrecisionRecallResult Numbers((Tensor Balls, Tensor Recalled, Tensor Covered) members, int neighbours)
    {
        double generated = members.Balls.size(0), real = members.Recalled.size(0);
        return new(
            members.Balls.gt(0).sum().item<long>() / generated, members.Recalled.sum().item<long>() / real,
            members.Balls.sum().item<long>() / (neighbours * generated), members.Covered.sum().item<long>() / real, neighbours);
    }

    /// <summary>Real balls around each generated sample, int64 [M]; whether a real sample lies in a generated ball and whether its own ball holds a generated sample, bool [N].</summary>
    private static (Tensor Balls, Tensor Recalled, Tensor Covered) Members(Tensor real, Tensor generated, int neighbours)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        Require.Matrix(real, neighbours + 1L);
        Require.Matrix(generated, neighbours + 1L);
        Require.SameWidth(real, generated);
        Require.Finite(real);
        Require.Finite(generated);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (r, g) = Distances.Centred(real, generated);
        var realRadii = Distances.SquaredRadii(r, neighbours).unsqueeze(1);
        var generatedRadii = Distances.SquaredRadii(g, neighbours).unsqueeze(0);
        var balls = zeros(g.size(0), int64, g.device);
        var recalled = empty(r.size(0), ScalarType.Bool, g.device);
        var covered = empty(r.size(0), ScalarType.Bool, g.device);
        foreach (var (start, count) in Distances.Blocks(r.size(0), g.size(0)))
        {
            using var block = NewDisposeScope();
            var squared = Distances.Squared(r.narrow(0, start, count), g);
            var inReal = squared.lt(realRadii.narrow(0, start, count));
            balls.add_(inReal.sum([0]));
            covered.narrow(0, start, count).copy_(inReal.any(1));
            recalled.narrow(0, start, count).copy_(squared.lt(generatedRadii).any(1));
        }
        return (balls.MoveToOuterDisposeScope(), recalled.MoveToOuterDisposeScope(), covered.MoveToOuterDisposeScope());
    }
}
