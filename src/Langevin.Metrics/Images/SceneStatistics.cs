using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>The 36 features of a patch that NIQE looks at: how its locally normalised brightness is distributed, at two scales.</summary>
internal static class SceneStatistics
{
    /// <summary>Features of a patch.</summary>
    public const int Count = 36;

    private const int Radius = 3;
    private const double Sigma = 7.0 / 6, Rounding = 1e-9;

    // Neighbours to the right, below, and on both diagonals.
    private static readonly (long Rows, long Columns)[] Shifts = [(0, 1), (1, 0), (1, 1), (-1, 1)];

    /// <summary>Features [P, 36] and mean local deviations [P] of the patches that fit whole into an image, row by row.</summary>
    /// <param name="brightness">float64 [H, W] on the scale of 255; a constant added changes nothing.</param>
    /// <param name="patch">Side of a patch, even.</param>
    public static (Tensor Features, Tensor Sharpness) Of(Tensor brightness, long patch)
    {
        using var scope = NewDisposeScope();
        var whole = brightness.narrow(0, 0, brightness.size(0) / patch * patch).narrow(1, 0, brightness.size(1) / patch * patch);
        var (normal, deviation) = Normalised(whole);
        var (halfNormal, _) = Normalised(Halved(whole));
        var features = cat([OfPatches(Patches(normal, patch)), OfPatches(Patches(halfNormal, patch / 2))], 1);
        return (features.MoveToOuterDisposeScope(), Patches(deviation, patch).mean([1, 2]).MoveToOuterDisposeScope());
    }

    /// <summary>(I − μ)/(σ + 1) and σ, with local mean and deviation under a Gaussian window of 7 × 7; borders repeat.</summary>
    private static (Tensor Normal, Tensor Deviation) Normalised(Tensor image)
    {
        var at = arange(-Radius, Radius + 1, float64, image.device);
        var weights = (at.square() / (-2 * Sigma * Sigma)).exp();
        weights /= weights.sum();
        Tensor Local(Tensor x)
        {
            var padded = nn.functional.pad(x.view(1, 1, x.size(0), x.size(1)), [Radius, Radius, Radius, Radius], TorchSharp.PaddingModes.Replicate);
            return Convolved(padded, weights, 1);
        }
        // About the mean, so that the difference of squares loses no digits; (I − μ)/(σ + 1) does not depend on it.
        var centred = (image - image.mean()).contiguous();
        var mean = Local(centred);
        var deviation = (Local(centred.square()) - mean.square()).abs().sqrt();
        var normal = (centred - mean) / (deviation + 1);
        // What rounding leaves of a flat area is no texture.
        return (normal.masked_fill(normal.abs().lt(Rounding), 0), deviation);
    }

    /// <summary>Half the size by Keys' cubic (a = −½) stretched twofold, borders mirrored: MATLAB's imresize(I, 0.5).</summary>
    private static Tensor Halved(Tensor image)
    {
        var distance = (arange(8, float64, image.device) - 3.5).abs() / 2;
        var (near, far) = (1.5 * distance.pow(3) - 2.5 * distance.square() + 1, -0.5 * distance.pow(3) + 2.5 * distance.square() - 4 * distance + 2);
        var weights = where(distance.le(1), near, far);
        weights /= weights.sum();
        Tensor Mirrored(Tensor x, int d) => cat([x.narrow(d, 0, 3).flip(d), x, x.narrow(d, x.size(d) - 3, 3).flip(d)], d);
        var padded = Mirrored(Mirrored(image, 0), 1);
        return Convolved(padded.view(1, 1, padded.size(0), padded.size(1)), weights, 2);
    }

    private static Tensor Convolved(Tensor image, Tensor weights, long stride)
    {
        long n = weights.size(0);
        var rows = nn.functional.conv2d(image, weights.view(1, 1, n, 1), strides: [stride, 1]);
        return nn.functional.conv2d(rows, weights.view(1, 1, 1, n), strides: [1, stride])[0, 0];
    }

    private static Tensor Patches(Tensor image, long side) =>
        image.reshape(image.size(0) / side, side, image.size(1) / side, side).permute(0, 2, 1, 3).reshape(-1, side, side);

    /// <summary>18 features: shape and mean scale of the values; shape, mean and both scales of products of neighbours in four directions.</summary>
    private static Tensor OfPatches(Tensor patches)
    {
        var (shape, left, right) = AsymmetricGaussian.Fit(patches.flatten(1));
        var features = new List<Tensor> { shape, (left + right) / 2 };
        foreach (var (rows, columns) in Shifts)
        {
            (shape, left, right) = AsymmetricGaussian.Fit((patches * patches.roll([rows, columns], [1, 2])).flatten(1));
            features.AddRange([shape, AsymmetricGaussian.Mean(shape, left, right), left, right]);
        }
        return stack(features, 1);
    }
}
