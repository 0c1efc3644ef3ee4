using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Feature likelihood divergence and what it is made of.</summary>
/// <param name="Divergence">100 (NLL of the held-out set per dimension − baseline): 0 for samples as good as training data, larger is worse.</param>
/// <param name="GeneralisationGap">100 (NLL of the training set − NLL of the held-out set) per dimension: below 0 where samples sit closer to training data.</param>
/// <param name="Baseline">NLL per dimension of the held-out set where half of the training set stands in for the samples.</param>
public sealed record FeatureLikelihoodResult(double Divergence, double GeneralisationGap, double Baseline);

/// <summary>
/// Feature likelihood divergence (Jiralerspong et al. 2023, arXiv:2302.04440): fidelity, diversity and novelty in one
/// number. A Gaussian sits on every sample, its variance is fitted to the training set's likelihood, and the mixture is
/// judged by the held-out set: copies of training data get variance 0 and explain nothing new.
/// </summary>
/// <remarks>As the authors' code: Adam at rate 0.5, 50 passes of at most 10,000 rows, one more broad component while fitting.</remarks>
public static class FeatureLikelihood
{
    private const int Passes = 50, BatchSize = 10_000;
    private const double Rate = 0.5, OriginShare = 0.1, Smallest = -40, Largest = 20;

    /// <summary>Judges samples by their features. Distances are held: 4 bytes for each pair of a sample and a training row.</summary>
    /// <param name="training">[T, D], T ≥ 4.</param>
    /// <param name="heldOut">[H, D], H ≥ 2; gives the scale of the features.</param>
    /// <param name="generated">[N, D].</param>
    /// <param name="most">More samples than this are thinned out at random.</param>
    /// <param name="seed">Seed of that, of the batches and of the baseline's halves.</param>
    public static FeatureLikelihoodResult Between(Tensor training, Tensor heldOut, Tensor generated, int most = 10_000, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        Require.Matrix(training, 4);
        Require.Matrix(heldOut, 2);
        Require.Matrix(generated);
        Require.SameWidth(training, heldOut);
        Require.SameWidth(training, generated);
        Require.Finite(training);
        Require.Finite(heldOut);
        Require.Finite(generated);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var random = new Generator((ulong)seed);
        var h = heldOut.to(float64);
        var (mean, deviation) = (h.mean([0], keepdim: true), h.std(0, keepdim: true));
        if (deviation.min().item<double>() <= 0) throw new ArgumentException("a feature is constant over the held-out set: leave it out", nameof(heldOut));
        Tensor Scaled(Tensor x) => (x.to(float64) - mean) / deviation;
        Tensor Shuffled(Tensor x, long count) => x.index_select(0, randperm(x.size(0), generator: random).narrow(0, 0, count));
        var (t, held) = (Scaled(training), Scaled(heldOut));
        var g = Scaled(generated.size(0) > most ? Shuffled(generated, most) : generated);
        var variances = Fit(g, Shuffled(t, t.size(0)));
        double nll = Negative(held, g, variances), own = Negative(t, g, variances);
        var mixed = Shuffled(t, t.size(0));
        long half = Math.Min(g.size(0), mixed.size(0) / 2);
        var centres = mixed.narrow(0, 0, half);
        double baseline = Negative(held, centres, Fit(centres, mixed.narrow(0, half, mixed.size(0) - half)));
        return new(100 * (nll - baseline), 100 * (own - nll), baseline);
    }

    /// <summary>Log-variances [N] that make the rows likely.</summary>
    private static Tensor Fit(Tensor centres, Tensor rows)
    {
        using var scope = NewDisposeScope();
        double d = rows.size(1);
        long n = rows.size(0), m = centres.size(0);
        var squared = empty([n, m], float32, rows.device);
        foreach (var (start, count) in Distances.Blocks(n, m))
        {
            using var block = NewDisposeScope();
            squared.narrow(0, start, count).copy_(Distances.Squared(rows.narrow(0, start, count), centres));
        }
        var origin = Distances.Squared(rows, rows.mean([0], keepdim: true)) * Math.Pow(1 - OriginShare, 2);
        // The last entry belongs to the broad component at the mean.
        var logs = cat([((squared.amin([0]).to(float64) + 1e-3) / d).log(), zeros(1, float64, rows.device)]);
        var (first, second) = (zeros_like(logs), zeros_like(logs));
        int step = 0;
        for (int pass = 0; pass < Passes; pass++)
            for (long at = 0; at < n; at += BatchSize)
            {
                using var one = NewDisposeScope();
                long size = Math.Min(BatchSize, n - at);
                var slope = Slope(squared.narrow(0, at, size), origin.narrow(0, at, size), logs, d);
                step++;
                first.mul_(0.9).add_(slope * 0.1);
                second.mul_(0.999).add_(slope.square() * 0.001);
                var rate = second / (1 - Math.Pow(0.999, step));
                logs.sub_(first * (Rate / (1 - Math.Pow(0.9, step))) / (rate.sqrt() + 1e-8));
                logs.narrow(0, 0, m).clamp_(Smallest, Largest);
            }
        return logs.narrow(0, 0, m).clone().MoveToOuterDisposeScope();
    }

    /// <summary>Gradient of the mean NLL per dimension in the log-variances: −Σᵢ rᵢⱼ (½ dᵢⱼ/vⱼ − D/2) / (B D).</summary>
    private static Tensor Slope(Tensor squared, Tensor origin, Tensor logs, double d)
    {
        using var scope = NewDisposeScope();
        long m = squared.size(1);
        var slope = zeros_like(logs);
        var precision = logs.neg().exp();
        foreach (var (start, count) in Distances.Blocks(squared.size(0), m + 1))
        {
            using var block = NewDisposeScope();
            var half = cat([squared.narrow(0, start, count).to(float64), origin.narrow(0, start, count)], 1).mul_(precision).mul_(0.5);
            var joint = (logs * (-d / 2)).sub(half);
            joint.narrow(1, 0, m).sub_(Math.Log(m));
            slope.sub_((joint.softmax(1) * (half - d / 2)).sum([0]));
        }
        return (slope / (squared.size(0) * d)).MoveToOuterDisposeScope();
    }

    /// <summary>Mean NLL per dimension of rows under the mixture.</summary>
    private static double Negative(Tensor rows, Tensor centres, Tensor logs)
    {
        using var scope = NewDisposeScope();
        double d = rows.size(1), sum = 0;
        var precision = logs.neg().exp();
        foreach (var (start, count) in Distances.Blocks(rows.size(0), centres.size(0)))
        {
            using var block = NewDisposeScope();
            var joint = (logs * (-d / 2)).sub(Distances.Squared(rows.narrow(0, start, count), centres).mul_(precision).mul_(0.5));
            sum += joint.logsumexp(1).sum().item<double>();
        }
        return -(sum / rows.size(0) - Math.Log(centres.size(0)) - d / 2 * Math.Log(2 * Math.PI)) / d;
    }
}
