using System.Globalization;
using System.Runtime.CompilerServices;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>Which patches of an image NIQE looks at; the defaults are the paper's.</summary>
public sealed record NiqeOptions
{
    /// <summary>Side of a patch in pixels, even, at least 16.</summary>
    public int Patch { get; init; } = 96;

    /// <summary>Of a pristine image, patches count whose mean local deviation exceeds this share of the sharpest one's; from 0, below 1.</summary>
    public double Sharpness { get; init; } = 0.75;
}

/// <summary>
/// NIQE (Mittal, Soundararajan and Bovik 2013, IEEE Signal Processing Letters 20): how far the statistics of an image's
/// patches lie from those of pristine images, with no reference and no opinion scores. 36 features of each patch (shapes
/// and scales of the locally normalised brightness and of products of neighbours, at two scales) are described by a mean
/// and a covariance on either side; the score is √((ν₁ − ν₂)ᵀ ((Σ₁ + Σ₂)/2)⁺ (ν₁ − ν₂)), equation 10. Smaller is better.
/// </summary>
/// <remarks>
/// The model is fitted to the user's own pristine images. The authors' parameters, fitted to 125 photographs, are data
/// that is not part of this library, and scores under other parameters do not compare with published ones; who has them
/// can give them to the constructor: features come in the authors' order. Colour is reduced to 0.2989 R + 0.5870 G +
/// 0.1140 B, unrounded. In a saturated area I − μ is 0 and counts for neither side of a distribution, where the authors'
/// program counts what rounding left; a patch that is flat at either scale has no features and is left out.
/// </remarks>
public sealed class NiqeModel : IDisposable
{
    private const string Kind = "niqe", MeanKey = "mean", CovarianceKey = "covariance", PatchKey = "patch", PatchesKey = "patches";
    private const int Features = SceneStatistics.Count;

    private readonly Tensor mean, covariance;

    /// <summary>A model of given parameters, which are copied.</summary>
    /// <param name="mean">[36].</param>
    /// <param name="covariance">[36, 36], symmetric.</param>
    /// <param name="patch">Side of the patches that they are of.</param>
    /// <param name="patches">Number of patches that they are of, where known.</param>
    public NiqeModel(Tensor mean, Tensor covariance, int patch = 96, long patches = 0)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(covariance);
        if (!mean.shape.AsSpan().SequenceEqual([Features]) || !covariance.shape.AsSpan().SequenceEqual([Features, Features]))
            throw new ArgumentException($"expected a mean [{Features}] and a covariance [{Features}, {Features}], got {Require.Shape(mean)} and {Require.Shape(covariance)}", nameof(mean));
        CheckPatch(patch);
        ArgumentOutOfRangeException.ThrowIfNegative(patches);
        Require.Finite(mean);
        Require.Finite(covariance);
        using var scope = NewDisposeScope();
        if (!covariance.allclose(covariance.t())) throw new ArgumentException("a covariance is symmetric, this one is not", nameof(covariance));
        (Patch, Patches) = (patch, patches);
        this.mean = mean.detach().to(float64, CPU).clone().DetachFromDisposeScope();
        this.covariance = covariance.detach().to(float64, CPU).clone().DetachFromDisposeScope();
    }

    /// <summary>Side of a patch in pixels.</summary>
    public int Patch { get; }

    /// <summary>How many pristine patches the model was fitted to; 0 where not known. Well above 36 are needed for a useful covariance.</summary>
    public long Patches { get; }

    /// <summary>A copy of the mean, float64 [36].</summary>
    public Tensor Mean() => mean.clone();

    /// <summary>A copy of the covariance (divisor n − 1), float64 [36, 36].</summary>
    public Tensor Covariance() => covariance.clone();

    /// <summary>Fits a model to pristine images, read one after the other.</summary>
    /// <param name="images">Each [C, H, W] with one or three channels, both sides at least one patch long; sizes may differ.</param>
    /// <param name="range">Difference of the largest and the smallest possible value: 2 for [−1, 1], 255 for bytes.</param>
    /// <param name="options">Patches.</param>
    /// <exception cref="ArgumentException">An image that is too small or holds NaN, or fewer than two usable patches in all.</exception>
    public static NiqeModel Fit(IEnumerable<Tensor> images, double range, NiqeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        options ??= new();
        CheckPatch(options.Patch);
        if (!(options.Sharpness is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Sharpness, "the sharpness must be from 0 and below 1");
        using var statistics = new FeatureStatistics(Features);
        foreach (var image in images)
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            ArgumentNullException.ThrowIfNull(image, nameof(images));
            if (image.dim() != 3) throw new ArgumentException($"expected images [C, H, W], got {Require.Shape(image)}", nameof(images));
            var (features, sharpness) = SceneStatistics.Of(Brightness(image, range, options.Patch, nameof(images)), options.Patch);
            statistics.Add(Usable(features[sharpness.gt(options.Sharpness * sharpness.max())]));
        }
        if (statistics.Count < 2)
            throw new ArgumentException($"{statistics.Count} usable patches of {options.Patch} × {options.Patch} pixels: at least 2 are needed, and well above {Features} for a useful model", nameof(images));
        using var mean = statistics.Mean();
        using var covariance = statistics.Covariance();
        return new(mean, covariance, options.Patch, statistics.Count);
    }

    /// <summary>The score of each image, float64 [N]; at least 0, smaller for more natural ones.</summary>
    /// <param name="images">[N, C, H, W] with one or three channels and room for at least two patches.</param>
    /// <param name="range">Difference of the largest and the smallest possible value.</param>
    /// <exception cref="ArgumentException">Another shape, NaN, or an image with fewer than two patches that are not flat.</exception>
    public Tensor Score(Tensor images, double range)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dim() != 4 || images.size(0) < 1) throw new ArgumentException($"expected images [N, C, H, W], got {Require.Shape(images)}", nameof(images));
        var scores = new double[images.size(0)];
        for (int i = 0; i < scores.Length; i++)
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            var features = Usable(SceneStatistics.Of(Brightness(images[i], range, Patch, nameof(images)), Patch).Features);
            if (features.size(0) < 2)
                throw new ArgumentException($"image {i} has {features.size(0)} patches of {Patch} × {Patch} pixels that are not flat: a covariance needs at least 2", nameof(images));
            scores[i] = Distance(features);
        }
        return tensor(scores, float64);
    }

    /// <summary>Writes the model as a safetensors file: "mean", "covariance", and the patches in the header.</summary>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void Save(string path) => SafeTensors.Save(path, [new(MeanKey, mean), new(CovarianceKey, covariance)], new Dictionary<string, string>
    {
        ["format"] = "pt", ["kind"] = Kind,
        [PatchKey] = Patch.ToString(CultureInfo.InvariantCulture), [PatchesKey] = Patches.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">Not a file of a NIQE model, or damaged.</exception>
    public static NiqeModel Load(string path)
    {
        using var file = SafeTensors.Open(path);
        if (file.Metadata.GetValueOrDefault("kind") != Kind || !file.Contains(MeanKey) || !file.Contains(CovarianceKey)
            || !int.TryParse(file.Metadata.GetValueOrDefault(PatchKey), CultureInfo.InvariantCulture, out int patch)
            || !long.TryParse(file.Metadata.GetValueOrDefault(PatchesKey), CultureInfo.InvariantCulture, out long patches))
            throw new InvalidDataException($"{path}: not a NIQE model; fit one to pristine images and save it");
        using var mean = file.Read(MeanKey);
        using var covariance = file.Read(CovarianceKey);
        try
        {
            return new(mean, covariance, patch, patches);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{path}: damaged NIQE model: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mean.Dispose();
        covariance.Dispose();
    }

    private double Distance(Tensor features)
    {
        using var statistics = FeatureStatistics.Of(features);
        var difference = (statistics.Mean() - mean).unsqueeze(1);
        var inverse = linalg.pinv((statistics.Covariance() + covariance) / 2);
        return Math.Sqrt(Math.Max(0, difference.t().mm(inverse).mm(difference).item<double>()));
    }

    /// <summary>The rows without NaN or infinity.</summary>
    private static Tensor Usable(Tensor features) => features[features.isfinite().all(1)];

    /// <summary>float64 [H, W] on the scale of 255.</summary>
    private static Tensor Brightness(Tensor image, double range, long patch, string name, [CallerArgumentExpression(nameof(range))] string rangeName = "")
    {
        if (!(range > 0) || double.IsInfinity(range)) throw new ArgumentOutOfRangeException(rangeName, range, "must be above 0, e.g. 255 for bytes");
        if (image.size(0) is not (1 or 3) || Math.Min(image.size(1), image.size(2)) < patch)
            throw new ArgumentException($"expected one or three channels of at least {patch} × {patch} pixels, got {Require.Shape(image)}", name);
        var x = image.to(float64, CPU) * (255 / range);
        Require.Finite(x, name);
        return x.size(0) == 1 ? x[0] : x[0] * 0.2989 + x[1] * 0.5870 + x[2] * 0.1140;
    }

    private static void CheckPatch(int patch)
    {
        if (patch < 16 || patch % 2 != 0) throw new ArgumentOutOfRangeException(nameof(patch), patch, "the side of a patch must be even and at least 16, e.g. 96");
    }
}
