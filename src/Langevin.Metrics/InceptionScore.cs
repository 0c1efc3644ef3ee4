using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Inception score over splits.</summary>
/// <param name="Mean">Mean over the splits, between 1 and the number of classes.</param>
/// <param name="StandardDeviation">Population standard deviation over the splits.</param>
/// <param name="Splits">Number of splits.</param>
public sealed record InceptionScoreResult(double Mean, double StandardDeviation, int Splits);

/// <summary>
/// exp E KL(p(y|x) ‖ p(y)) from a classifier's logits (Salimans et al. 2016, arXiv:1606.03498): high where every sample is
/// clearly of one class and all classes occur.
/// </summary>
public static class InceptionScore
{
    /// <summary>The score of the samples in the order given; shuffle them first when they are sorted by class.</summary>
    /// <param name="logits">[N, K].</param>
    /// <param name="splits">Consecutive parts the samples are cut into, 1 to N.</param>
    public static InceptionScoreResult Of(Tensor logits, int splits = 10)
    {
        Require.Matrix(logits);
        long n = logits.size(0);
        if (splits < 1 || splits > n)
            throw new ArgumentOutOfRangeException(nameof(splits), splits, $"must be from 1 to the number of samples, {n}");
        Require.Finite(logits);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var logP = nn.functional.log_softmax(logits.to(float64), 1);
        var scores = new double[splits];
        for (int s = 0; s < splits; s++)
        {
            using var part = NewDisposeScope();
            long start = s * n / splits, end = (s + 1) * n / splits;
            var l = logP.narrow(0, start, end - start);
            var p = l.exp();
            scores[s] = (p * (l - p.mean([0], keepdim: true).log())).sum(1).mean().exp().item<double>();
        }
        double mean = scores.Average();
        return new(mean, Math.Sqrt(scores.Average(v => (v - mean) * (v - mean))), splits);
    }
}
