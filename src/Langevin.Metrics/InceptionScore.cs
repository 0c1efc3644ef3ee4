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
        var scores = new double[splits];
        for (int s = 0; s < splits; s++)
        {
            using var part = NewDisposeScope();
            long start = s * n / splits, end = (s + 1) * n / splits;
            var l = nn.functional.log_softmax(logits.narrow(0, start, end - start).to(float64), 1);
            var p = l.exp();
            scores[s] = (p * (l - p.mean([0], keepdim: true).log())).sum(1).mean().exp().item<double>();
        }
        double mean = scores.Average();
        return new(mean, Math.Sqrt(scores.Average(v => (v - mean) * (v - mean))), splits);
    }

    /// <summary>Bootstrap interval of the score in one split over the samples, recentred.</summary>
    /// <param name="logits">[N, K].</param>
    /// <param name="resamples">How many resamples.</param>
    /// <param name="level">Confidence level.</param>
    /// <param name="seed">Seed of the resampling.</param>
    public static Interval Interval(Tensor logits, int resamples = 200, double level = 0.95, long seed = 0)
    {
        Require.Matrix(logits);
        Require.Finite(logits);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var l = nn.functional.log_softmax(logits.to(float64), 1);
        var p = l.exp();
        long n = logits.size(0);
        var information = (p * l).sum(1);
        // exp(E Σ p log p − Σ p̄ log p̄): a resample only weighs the rows.
        return Bootstrap.Interval(n, i =>
        {
            var weight = i.to(p.device).bincount(null!, n).to(float64) / n;
            var marginal = weight.unsqueeze(0).mm(p);
            return Math.Exp((weight * information).sum().item<double>() - marginal.xlogy(marginal).sum().item<double>());
        }, resamples, level, seed, recentre: true);
    }
}
