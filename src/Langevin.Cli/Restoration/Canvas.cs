using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Denoisers;
using Langevin.Guidance;
using Langevin.Hub;
using Langevin.Metrics.Images;
using Langevin.Cli.Runs;
using Langevin.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>What restoring and editing share: the model as they use it, pictures in and pictures out.</summary>
internal static class Canvas
{
    /// <summary>The shape of the model's pictures.</summary>
    /// <exception cref="ArgumentException">It makes no pictures.</exception>
    public static (long Channels, long Height, long Width) Shape(DiffusionModel model)
    {
        var shape = model.Description.ItemShape;
        return shape.Count == 3 ? (shape[0], shape[1], shape[2])
            : throw new ArgumentException($"This model makes samples of shape [{string.Join(", ", shape)}], not pictures.");
    }

    /// <summary>A file as [1, C, H, W] for the model: a picture, or a tensor of that name in a safetensors file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="channels">1 or 3; what the file has when null.</param>
    /// <param name="side">Scales and cuts to this square; null keeps the picture's size.</param>
    /// <param name="name">The tensor's name.</param>
    public static Tensor Read(string path, long? channels, int? side, string name)
    {
        if (string.Equals(Path.GetExtension(path), ".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            using var scope = NewDisposeScope();
            var tensors = SafeTensors.Load(path);
            if (!tensors.TryGetValue(name, out var found)) throw new InvalidDataException($"'{path}' holds no tensor '{name}'; it holds {string.Join(", ", tensors.Keys)}.");
            return found.to(ScalarType.Float32).MoveToOuterDisposeScope().DetachFromDisposeScope();
        }
        if (channels is { } c && c is not (1 or 3)) throw new ArgumentException($"'{path}': a picture file has 1 or 3 channels, this model's pictures have {c}; give a .safetensors file with a tensor '{name}'.");
        using var picture = ImageFile.Load(path, side, channels is null ? null : channels == 1);
        return picture.unsqueeze(0);
    }

    /// <summary>A picture exactly of the model's size.</summary>
    public static Tensor Fitting(Tensor picture, string path, params long[] shape) => picture.shape.SequenceEqual([1, .. shape]) ? picture
        : throw new ArgumentException($"'{path}' is [{string.Join(", ", picture.shape[1..])}]; this task and model need [{string.Join(", ", shape)}].");

    /// <summary>The model's denoiser, guided if asked for and not yet clamped, and its time grid.</summary>
    public static (IDenoiser Denoiser, TimeGrid Grid) Prepare(DiffusionModel model, int? steps, double? guidance, bool labelled)
    {
        var (_, grid) = model.Formulation.Sampling("ddim", steps);
        IDenoiser denoiser = model.Denoiser;
        if (labelled && (guidance ?? model.Description.Guidance) is var w and not 1) denoiser = denoiser.Guided(w);
        return (denoiser, grid);
    }

    /// <summary>Runs a sampler from noise over a grid, with progress; the last state, on the host.</summary>
    public static (Tensor Result, int Evaluations) Draw(IDenoiser denoiser, Sampler sampler, TimeGrid grid, long[] shape, Condition condition, long seed, Device device,
        ProgressLine progress, CancellationToken cancellation)
    {
        var noise = new SeededNoise(seed);
        using var x = Sampler.Prior(denoiser.Process, shape, noise, device, grid[0]);
        SamplingStep? last = null;
        foreach (var step in sampler.Steps(denoiser, x, grid, condition, noise, cancellation))
        {
            last = step;
            progress.Report((step.Index + 1.0) / step.Count);
        }
        using var end = last!.X;
        return (end.cpu().alias(), last.Evaluations);
    }

    /// <summary>One or three channels of what may be a complex picture (its magnitude), for drawing.</summary>
    public static Tensor Drawable(Tensor picture) => picture.shape[1] != 2 ? picture.alias()
        : WrappedTensorDisposeScope(() => picture.square().sum([1L], keepdim: true).sqrt() * 2 - 1);

    /// <summary>PSNR and SSIM of pictures in [−1, 1] against the truth, averaged; SSIM is null for pictures smaller than its window.</summary>
    public static JsonObject Figures(Tensor pictures, Tensor truth)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (pictures.clamp(-1, 1), truth.expand(pictures.shape).clamp(-1, 1));
        double psnr = ImageError.PeakSignalToNoise(a, b, 2).clamp_max(200).mean().item<double>();
        double? ssim = Math.Min(a.shape[2], a.shape[3]) < 11 ? null : StructuralSimilarity.Between(a, b, 2).mean().item<double>();
        return new() { ["psnr"] = psnr, ["ssim"] = ssim };
    }
}
