using Langevin.Metrics;
using Langevin.Metrics.Distributions;
using Langevin.Metrics.Images;
using Langevin.Metrics.PointClouds;
using Langevin.Metrics.Segmentation;
using Langevin.Metrics.Series;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>Metrics of pairs: images, masks, forecasts, clouds and plain samples.</summary>
public static class PairMetricGoldens
{
    [Golden("metrics", "ssim")]
    public static void Ssim(GoldenCase c)
    {
        double range = c.Double("data_range");
        var (x, y) = (c["img1"], c["img2"]);
        var wang = StructuralSimilarity.Between(x, y, range);
        c.Check("pytorch_msssim_ssim", wang, 1e-6);
        if (c.Has("pytorch_msssim_ms_ssim")) c.Check("pytorch_msssim_ms_ssim", StructuralSimilarity.MultiScale(x, y, range), 1e-6);
        if (c.Has("psnr")) c.Check("psnr", ImageError.PeakSignalToNoise(x, y, range).mean(), 1e-6);
        if (!c.Has("mse")) return;
        c.Check("mse", ImageError.MeanSquared(x, y), 1e-6);
        c.Check("psnr_range1", ImageError.PeakSignalToNoise(x, y, 1), 1e-6);
        c.Check("psnr_global", ImageError.PeakSignalToNoise(x.view(1, -1), y.view(1, -1), 1)[0], 1e-6);
        c.Check("skimage_ssim_gauss_wang", wang, 1e-6);
        c.Check("skimage_ssim_gauss_samplecov", StructuralSimilarity.Between(x, y, range, new() { SampleCovariance = true }), 1e-6);
        c.Check("skimage_ssim_uniform7", StructuralSimilarity.Between(x, y, range, new() { Size = 7, Sigma = null, SampleCovariance = true }), 1e-6);
        c.Check("monai_ssim", wang, 1e-4);
        // The map is of the first image, its first channel or all of them last, with the reference's own padding around ours.
        var map = StructuralSimilarity.Map(x, y, range)[0];
        var theirs = c["skimage_ssim_map_gauss_wang"];
        theirs = theirs.dim() == 3 ? theirs.permute(2, 0, 1) : theirs.unsqueeze(0);
        long border = (theirs.size(1) - map.size(1)) / 2;
        c.Check("skimage_ssim_map_gauss_wang", theirs.narrow(1, border, map.size(1)).narrow(2, border, map.size(2)), map.narrow(0, 0, theirs.size(0)), 1e-6);
    }

    [Golden("metrics", "segmentation")]
    public static void Masks(GoldenCase c)
    {
        var (samples, labels) = (c["samples"], c["labels"]);
        long count = labels.size(0);
        c.Check("iou_matrix", Overlap.IouMatrix(labels, samples));
        c.Check("dice_label0_vs_samples", Overlap.Dice(labels.narrow(0, 0, 1).expand_as(samples), samples));
        c.Check("ged2", tensor(MaskEnsemble.EnergyDistanceSquared(samples, labels)), absolute: 1e-12);
        c.Check("hm_iou", tensor(MaskEnsemble.MatchedIou(samples, labels)));
        c.Check("soft_dice", tensor(MaskEnsemble.SoftDice(samples, labels)));
        var first = samples.narrow(0, 0, count);
        c.Check("monai_dice", Overlap.Dice(first, labels).unsqueeze(1));
        c.Check("monai_iou", Overlap.Iou(first, labels).unsqueeze(1));
        var empty = labels.flatten(1).sum(1).eq(0);
        c.Check("monai_dice_ignore_empty", Overlap.Dice(first, labels).masked_fill(empty, -1).unsqueeze(1));
        if (c["monai_hausdorff95"].numel() != count) return;
        double[] distances = [.. Enumerable.Range(0, (int)count).Select(i => Hausdorff.Distance(first[i], labels[i]))];
        c.Check("monai_hausdorff95", tensor(distances).unsqueeze(1));
    }

    [Golden("metrics", "pointcloud")]
    public static void Clouds(GoldenCase c)
    {
        var (a, b) = (c["a"], c["b"]);
        var (toB, toA) = Chamfer.NearestSquared(a, b);
        c.Check("nn_sq_a_to_b", toB, absolute: 1e-12);
        c.Check("nn_sq_b_to_a", toA, absolute: 1e-12);
        c.Check("chamfer_sq_sum", Chamfer.Squared(a, b));
        c.Check("chamfer_l2_sum", Chamfer.Distance(a, b));
        var pairwise = Chamfer.Pairwise(a, b);
        c.Check("pairwise_cd_a_b", pairwise);
        var coverage = CloudSets.Coverage(pairwise);
        c.Check("lgan_lgan_mmd", tensor(coverage.MatchingDistance));
        c.Check("lgan_lgan_mmd_smp", tensor(coverage.SampleDistance));
        c.Check("lgan_lgan_cov", tensor(coverage.Coverage));
        c.Check("one_nn_acc", tensor(CloudSets.NearestNeighbourAccuracy(Chamfer.Pairwise(a, a), pairwise, Chamfer.Pairwise(b, b))));
        var (cost, matching) = EarthMover.Between(a, b);
        c.Check("emd_l2_mean", cost);
        c.Check("emd_sq_mean", EarthMover.Between(a, b, squared: true).cost);
        c.Check("emd_assignment", matching);
        if (c.Has("jsd_grid16"))
            c.Check("jsd_grid16", tensor(CloudSets.JensenShannon((a * 0.9).clamp(-0.5, 0.5), (b * 0.9).clamp(-0.5, 0.5), 16)));
    }

    [Golden("metrics", "crps")]
    public static void Forecasts(GoldenCase c)
    {
        var (forecast, target, mask) = (c["forecast"], c["target"], c["eval_points"]);
        c.Check("crps_ensemble", Crps.Ensemble(forecast, target), absolute: 1e-12);
        c.Check("crps_fair", Crps.Ensemble(forecast, target, fair: true), absolute: 1e-12);
        c.Check("quantile_005", Crps.Quantile(forecast, 0.05));
        c.Check("quantile_050", Crps.Quantile(forecast, 0.5));
        c.Check("csdi_crps", tensor(Crps.Normalised(forecast, target, mask)));
        c.Check("csdi_crps_sum", tensor(Crps.NormalisedSum(forecast, target, mask)));
        // "mean_scaler=0.5, scaler=2.0": the scaling of the data undone before judging.
        c.Check("csdi_crps_scaled", tensor(Crps.Normalised(forecast * 2 + 0.5, target * 2 + 0.5, mask)));
    }

    [Golden("metrics", "distances")]
    public static void TwoSamples(GoldenCase c)
    {
        var (x, y) = (c["x"], c["y"]);
        foreach (string name in c.Tensors.Keys.Where(k => k.StartsWith("mmd2_", StringComparison.Ordinal)))
        {
            var kernel = new Kernel.Gaussian(double.Parse(name[(name.IndexOf("_s", StringComparison.Ordinal) + 2)..], System.Globalization.CultureInfo.InvariantCulture));
            var estimate = name.Contains("unbiased", StringComparison.Ordinal) ? DiscrepancyEstimate.Unbiased : DiscrepancyEstimate.Biased;
            c.Check(name, tensor(MeanDiscrepancy.Squared(x, y, kernel, estimate)));
        }
        c.Check("energy_distance_sq", tensor(TwoSample.EnergySquared(x, y)));
        var (x0, y0) = (x.narrow(1, 0, 1), y.narrow(1, 0, 1));
        c.Check("scipy_energy_dim0", tensor(Math.Sqrt(TwoSample.EnergySquared(x0, y0))));
        c.Check("wasserstein1_dim0", TwoSample.Wasserstein1(x0, y0)[0]);
        c.Check("ks_dim0", TwoSample.KolmogorovSmirnov(x0, y0)[0]);
        c.Check("sliced_w1", tensor(TwoSample.SlicedWasserstein1(x, y, c["directions"])));
    }
}
