using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>A bound on −log p(x_0) of every sample of a batch, term by term, in bits a dimension, on the host in double.</summary>
public sealed class BoundEstimate : IDisposable
{
    private BoundEstimate(Tensor prior, Tensor terms, Tensor squaredErrorX0, Tensor squaredErrorEpsilon, Tensor total) =>
        (Prior, Terms, SquaredErrorX0, SquaredErrorEpsilon, Total) = (prior, terms, squaredErrorX0, squaredErrorEpsilon, total);

    /// <summary>L_T, [N].</summary>
    public Tensor Prior { get; }

    /// <summary>The terms from the largest time to the decoder, [N, S], each standing for its whole stratum.</summary>
    public Tensor Terms { get; }

    /// <summary>Mean squared error of x_0 at each term, [N, S].</summary>
    public Tensor SquaredErrorX0 { get; }

    /// <summary>Mean squared error of ε at each term, [N, S].</summary>
    public Tensor SquaredErrorEpsilon { get; }

    /// <summary>The bound, [N].</summary>
    public Tensor Total { get; }

    /// <summary>The mean bound over the samples.</summary>
    public double Mean => Total.mean().item<double>();

    /// <summary>Standard error of <see cref="Mean"/>: of the samples, their noise and the terms they drew.</summary>
    public double StandardError => Total.shape[0] < 2 ? double.NaN : Total.std().item<double>() / Math.Sqrt(Total.shape[0]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[Prior, Terms, SquaredErrorX0, SquaredErrorEpsilon, Total]) tensor.Dispose();
    }

    internal static Tensor MeanSquare(Tensor error) => error.square().flatten(1).mean([1]);

    /// <summary>Collects the columns; lives in a dispose scope outside those of the terms.</summary>
    internal sealed class Builder
    {
        private readonly List<Tensor> terms = [], x0 = [], epsilon = [];

        public void Add(Tensor term, Tensor squaredErrorX0, Tensor squaredErrorEpsilon)
        {
            terms.Add(Kept(term));
            x0.Add(Kept(squaredErrorX0));
            epsilon.Add(Kept(squaredErrorEpsilon));
        }

        public BoundEstimate Build(Tensor prior)
        {
            prior = prior.cpu().to(ScalarType.Float64);
            var columns = stack([.. terms], 1);
            return new(Out(prior), Out(columns), Out(stack([.. x0], 1)), Out(stack([.. epsilon], 1)), Out(prior + columns.sum(1)));
        }

        private static Tensor Kept(Tensor t) => t.to(ScalarType.Float64).cpu().MoveToOuterDisposeScope();
        private static Tensor Out(Tensor t) => t.MoveToOuterDisposeScope().DetachFromDisposeScope();
    }
}
