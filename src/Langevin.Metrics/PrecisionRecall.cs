using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Fidelity and diversity by nearest-neighbour balls.</summary>
/// <param name="Precision">Share of the generated samples inside some real sample's ball.</param>
/// <param name="Recall">Share of the real samples inside some generated sample's ball.</param>
/// <param name="Density">Mean number of real balls around a generated sample, over k; may exceed 1.</param>
/// <param name="Coverage">Share of the real samples whose ball holds a generated sample.</param>
/// <param name="Neighbours">k.</param>
public sealed record PrecisionRecallResult(double Precision, double Recall, double Density, double Coverage, int Neighbours);

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
        long realCount = r.size(0), generatedCount = g.size(0), recalled = 0, covered = 0;
        var balls = zeros(generatedCount, int64, g.device);
        foreach (var (start, count) in Distances.Blocks(realCount, generatedCount))
        {
            using var block = NewDisposeScope();
            var squared = Distances.Squared(r.narrow(0, start, count), g);
            var inReal = squared.lt(realRadii.narrow(0, start, count));
            balls.add_(inReal.sum([0]));
            covered += inReal.any(1).sum().item<long>();
            recalled += squared.lt(generatedRadii).any(1).sum().item<long>();
        }
        return new(
            balls.gt(0).sum().item<long>() / (double)generatedCount,
            recalled / (double)realCount,
            balls.sum().item<long>() / ((double)neighbours * generatedCount),
            covered / (double)realCount,
            neighbours);
    }
}
