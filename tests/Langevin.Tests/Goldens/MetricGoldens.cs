using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>Sample-set metrics against torch-fidelity and prdc.</summary>
public static class MetricGoldens
{
    [Golden("metrics", "fid")]
    public static void Frechet(GoldenCase c)
    {
        using var a = FeatureStatistics.Of(c["features_1"]);
        using var b = FeatureStatistics.Of(c["features_2"]);
        c.Check("mu_1", a.Mean(), 1e-10, 1e-12);
        c.Check("sigma_1", a.Covariance(), 1e-10, 1e-12);
        c.Check("mu_2", b.Mean(), 1e-10, 1e-12);
        c.Check("sigma_2", b.Covariance(), 1e-10, 1e-12);
        // The index's text: 1e-8, and 1e-4 where the covariance is rank deficient (the reference takes roots of rounding errors there).
        double absolute = Math.Min(a.Count, b.Count) <= a.Dimension ? 1e-4 : 1e-8;
        double distance = FrechetDistance.Between(a, b);
        c.Check("fid", Scalar(distance), 1e-6, absolute);
        c.Check("fid_sqrtm", Scalar(distance), 1e-6, absolute);
        c.Check("fid", Scalar(FrechetDistance.Between(c["mu_1"], c["sigma_1"], c["mu_2"], c["sigma_2"])), 1e-6, absolute);
    }

    [Golden("metrics", "kid")]
    public static void Kernel(GoldenCase c)
    {
        var (x, y) = (c["features_1"], c["features_2"]);
        c.Check("subset_mmd2", tensor(KernelDistance.Subsets(x, y, c["subset_idx_1"], c["subset_idx_2"])));
        var result = KernelDistance.Over(x, y, c["subset_idx_1"], c["subset_idx_2"]);
        c.Check("kid_mean", Scalar(result.Mean));
        c.Check("kid_std", Scalar(result.StandardDeviation));
        var kernel = new Kernel.Polynomial(c.Int("degree"), null, c.Double("coef0"));
        c.Check("mmd2_biased", Scalar(MeanDiscrepancy.Squared(x, y, kernel, DiscrepancyEstimate.Biased)));
        c.Check("mmd2_unbiased", Scalar(MeanDiscrepancy.Squared(x, y, kernel)));
        c.Check("mmd2_ustatistic", Scalar(MeanDiscrepancy.Squared(x, y, kernel, DiscrepancyEstimate.UStatistic)));
        c.Check("mmd2_rbf_sigma2_unbiased", Scalar(MeanDiscrepancy.Squared(x, y, new Kernel.Gaussian(2))));
    }

    [Golden("metrics", "is")]
    public static void Inception(GoldenCase c)
    {
        var plain = InceptionScore.Of(c["logits"], c.Int("splits"));
        c.Check("is_mean", Scalar(plain.Mean));
        c.Check("is_std", Scalar(plain.StandardDeviation), absolute: 1e-12);
        var shuffled = InceptionScore.Of(c["logits"].index_select(0, c["permutation"]), c.Int("splits"));
        c.Check("is_mean_shuffled", Scalar(shuffled.Mean));
        c.Check("is_std_shuffled", Scalar(shuffled.StandardDeviation), absolute: 1e-12);
    }

    [Golden("metrics", "prdc")]
    public static void Balls(GoldenCase c)
    {
        var result = PrecisionRecall.Between(c["real"], c["fake"], c.Int("k"));
        // "exact (counts / n)": only the rounding of the division may differ.
        c.Check("precision", Scalar(result.Precision), 1e-14, 0);
        c.Check("recall", Scalar(result.Recall), 1e-14, 0);
        c.Check("density", Scalar(result.Density), 1e-14, 0);
        c.Check("coverage", Scalar(result.Coverage), 1e-14, 0);
        // torch-fidelity divides in float32: one rounding of that, far below one count.
        c.Check("tf_precision", Scalar(result.Precision), 1e-7, 0);
        c.Check("tf_recall", Scalar(result.Recall), 1e-7, 0);
    }

    [Golden("metrics", "bpd")]
    public static void Bits(GoldenCase c)
    {
        long d = c.Int("D");
        c.Check("bpd_unit", BitsPerDimension.Of(c["logp_nats"], d, 1));
        c.Check("bpd_8bit_m1p1", BitsPerDimension.Of(c["logp_nats"], d, 2.0 / 256));
        c.Check("bpd_8bit_01", BitsPerDimension.Of(c["logp_nats"], d, 1.0 / 256));
    }

    private static Tensor Scalar(double value) => tensor(value, float64);
}
