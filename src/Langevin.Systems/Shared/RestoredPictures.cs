using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Inverse;
using Langevin.Metrics.Images;
using Langevin.Samplers;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Systems.Shared;

/// <summary>Held-out pictures, damaged and restored by a model that has learnt what such pictures look like.</summary>
public static class RestoredPictures
{
    /// <summary>The plan of the model that the rows without training of their own share: a small U-Net that predicts v.</summary>
    public static ModelPlan Plan(PictureSet pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        return pictures.Plan("digits", new() { Name = "ddpm", PredictionType = "v_prediction" });
    }

    /// <summary>One answer for each picture, in [−1, 1]; the caller's.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="denoiser">The model.</param>
    /// <param name="sampler">The solver, given a batch of the pictures' numbers.</param>
    /// <param name="grid">The times.</param>
    /// <param name="like">[N, C, H, W] of the pictures.</param>
    public static Tensor Solve(Trial trial, IDenoiser denoiser, Sampler sampler, TimeGrid grid, Tensor like)
    {
        ArgumentNullException.ThrowIfNull(trial);
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(sampler);
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentNullException.ThrowIfNull(like);
        var noise = new SeededNoise(trial.Seed);
        using var start = Sampler.Prior(denoiser.Process, like.shape, noise, time: grid[0]);
        Tensor? last = null;
        foreach (var step in sampler.Steps(denoiser.Clamped(), start, grid, noise: noise, cancellation: trial.Cancellation))
        {
            trial.Report((step.Index + 1.0) / step.Count, "restoring");
            last = step.X;
        }
        using (last) return last!.clamp(-1, 1);
    }

    /// <summary>PSNR in dB, picture by picture.</summary>
    public static Tensor Psnr(Tensor truth, Tensor restored) => ImageError.PeakSignalToNoise(truth, restored, 2);

    /// <summary>LPIPS-t: the distance of pictures over the judge's features, picture by picture.</summary>
    public static Tensor FeatureDistance(PictureSet pictures, Tensor truth, Tensor restored)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        return WrappedTensorDisposeScope(() => (pictures.Judge.Extractor.Features(truth) - pictures.Judge.Extractor.Features(restored)).square().mean([1L]).sqrt());
    }

    /// <summary>Shows measurement, answer and truth side by side.</summary>
    public static void Show(Trial trial, string what, Tensor measured, Tensor restored, Tensor truth)
    {
        ArgumentNullException.ThrowIfNull(trial);
        trial.Show(Figure.Rows($"{what}: measurement, answer, truth", measured, restored, truth));
    }
}
