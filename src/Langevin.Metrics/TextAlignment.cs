using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Whether an image shows what its caption says, by embeddings of an <see cref="ITwoTowerEncoder"/>.</summary>
public static class TextAlignment
{
    /// <summary>CLIPScore of each pair, w · max(cos, 0) (Hessel et al. 2021, arXiv:2104.08718), [N].</summary>
    /// <param name="images">Embeddings [N, D].</param>
    /// <param name="texts">Embeddings [N, D] of the captions, in the same order.</param>
    /// <param name="weight">w: 2.5 in the paper, 100 in many tables.</param>
    public static Tensor ClipScore(Tensor images, Tensor texts, double weight = 2.5)
    {
        Check(images, texts);
        return WrappedTensorDisposeScope(() => (ClipDiscrepancy.Unit(images) * ClipDiscrepancy.Unit(texts)).sum([1]).clamp_min(0) * weight);
    }

    /// <summary>The same from images and captions.</summary>
    public static Tensor ClipScore(ITwoTowerEncoder encoder, Tensor images, IReadOnlyList<string> texts, double weight = 2.5)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return WrappedTensorDisposeScope(() => ClipScore(encoder.Images(images), encoder.Texts(texts), weight));
    }

    /// <summary>
    /// R-precision (Xu et al. 2018, arXiv:1711.10485): share of images nearer to their own caption than to each of R − 1
    /// others drawn from the set. A tie counts against the image.
    /// </summary>
    /// <param name="images">Embeddings [N, D].</param>
    /// <param name="texts">Embeddings [N, D] of the captions, in the same order.</param>
    /// <param name="candidates">R, from 2 to N: 100 in the paper.</param>
    /// <param name="seed">Seed of the draw.</param>
    public static double RPrecision(Tensor images, Tensor texts, int candidates = 100, long seed = 0)
    {
        Check(images, texts);
        long n = images.size(0);
        if (candidates < 2 || candidates > n) throw new ArgumentOutOfRangeException(nameof(candidates), candidates, $"must be from 2 to the number of captions, {n}");
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)seed);
        // In a random circle each image meets the captions of those that follow it: distinct, and uniform for each image.
        var order = randperm(n, generator: random).to(images.device);
        var (x, y) = (ClipDiscrepancy.Unit(images).index_select(0, order), ClipDiscrepancy.Unit(texts).index_select(0, order));
        var own = (x * y).sum([1]);
        var best = full(n, double.NegativeInfinity, float64, images.device);
        for (int shift = 1; shift < candidates; shift++)
        {
            using var one = NewDisposeScope();
            best.copy_(maximum(best, (x * y.roll(-shift, 0)).sum([1])));
        }
        return own.gt(best).to(float64).mean().item<double>();
    }

    private static void Check(Tensor images, Tensor texts)
    {
        Require.Matrix(images);
        Require.Matrix(texts);
        Require.SameShape(images, texts);
    }
}
