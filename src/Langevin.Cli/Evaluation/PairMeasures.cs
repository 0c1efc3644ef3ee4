using Langevin.Metrics;
using Langevin.Metrics.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>The measures of image pairs, by name; images are [1, C, H, W] in [0, 1].</summary>
internal static class PairMeasures
{
    private sealed record Entry(string What, Func<Tensor, Tensor, ImageNetworks, Tensor> Measure);

    private static readonly Dictionary<string, Entry> Entries = new()
    {
        ["psnr"] = new("peak signal-to-noise ratio in dB, mean over the pairs", (a, b, _) => ImageError.PeakSignalToNoise(a, b, 1)),
        ["ssim"] = new("structural similarity", (a, b, _) => StructuralSimilarity.Between(a, b, 1)),
        ["ms-ssim"] = new("structural similarity at five scales", (a, b, _) => StructuralSimilarity.MultiScale(a, b, 1)),
        ["mse"] = new("mean squared error of values in [0, 1]", (a, b, _) => ImageError.MeanSquared(a, b)),
        ["mae"] = new("mean absolute error of values in [0, 1]", (a, b, _) => ImageError.MeanAbsolute(a, b)),
        ["rmse"] = new("root of the mean squared error of values in [0, 1]", (a, b, _) => ImageError.RootMeanSquared(a, b)),
        ["psnr-mu"] = new("PSNR after μ-law range compression, values taken as linear", (a, b, _) => ImageError.PeakSignalToNoiseMu(a, b)),
        ["delta-e"] = new("mean colour difference CIEDE2000", (a, b, _) => ColorDifference.Ciede2000(Rgb(a), Rgb(b))),
        ["delta-e-76"] = new("mean colour difference ΔE*76", (a, b, _) => ColorDifference.Cie76(Rgb(a), Rgb(b))),
        ["lpips"] = new("LPIPS v0.1 (weights of AlexNet or VGG16 and of their LPIPS heads)", (a, b, n) => n.Lpips?.Between(a * 2 - 1, b * 2 - 1)
            ?? throw new ArgumentException("lpips: give the weights of AlexNet or VGG16 and of their LPIPS heads with --weights.")),
        ["dists"] = new("DISTS (weights of VGG16 and of DISTS)", (a, b, n) => n.Dists?.Between(a, b)
            ?? throw new ArgumentException("dists: give the weights of VGG16 and of DISTS with --weights.")),
    };

    /// <summary>Names and what they are.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = Entries.ToDictionary(e => e.Key, e => e.Value.What);

    /// <summary>The mean of each measure over the pairs, with its bootstrap interval.</summary>
    public static IReadOnlyList<Measured> Measure(
        IReadOnlyList<string> names, IEnumerable<(string Name, Tensor Real, Tensor Fake)> pairs, ImageNetworks networks, FolderRequest request, CancellationToken cancellation)
    {
        var values = names.Select(_ => new List<double>()).ToArray();
        foreach (var (name, real, fake) in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            if (!real.shape.AsSpan().SequenceEqual(fake.shape))
                throw new InvalidDataException($"'{name}': the pair differs in size, {real.size(3)}×{real.size(2)} and {fake.size(3)}×{fake.size(2)}; give a --size to scale both to.");
            var (a, b) = ((real + 1) / 2, (fake + 1) / 2);
            for (int m = 0; m < names.Count; m++) values[m].Add(Entries[names[m]].Measure(a, b, networks).to(float64).item<double>());
        }
        return [.. names.Select((name, m) => Summary.Of(name, [.. values[m]], request))];
    }

    private static Tensor Rgb(Tensor x) => x.size(1) == 3 ? x : x.expand(-1, 3, -1, -1);
}
