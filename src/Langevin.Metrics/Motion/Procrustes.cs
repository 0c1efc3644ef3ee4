using static TorchSharp.torch;

namespace Langevin.Metrics.Motion;

/// <summary>Alignment of point sets by the similarity transform of least squared error (Umeyama 1991, IEEE TPAMI 13).</summary>
public static class Procrustes
{
    /// <summary>
    /// The source turned, scaled and moved, never mirrored, to the least Σ|s x R + t − y|² over its points: R = U diag(1, …, ±1) Vᵀ
    /// and s = tr(S diag(1, …, ±1)) / Σ|x|² with U S Vᵀ = XᵀY of the centred points (eqs. 39 to 43).
    /// </summary>
    /// <param name="source">[..., J, D], J ≥ 2 points in D = 2 or 3 dimensions; each set of points is aligned by itself.</param>
    /// <param name="target">The same shape.</param>
    /// <returns>The aligned source, float64 [..., J, D]. Points that all coincide become the target's mean.</returns>
    public static Tensor Align(Tensor source, Tensor target)
    {
        Poses.Check(source, target);
        if (source.size(-2) < 2) throw new ArgumentException("a similarity needs at least 2 points", nameof(source));
        return WrappedTensorDisposeScope(() =>
        {
            var (x, y) = (Poses.Each(source), Poses.Each(target));
            var (xMean, yMean) = (x.mean([1], keepdim: true), y.mean([1], keepdim: true));
            x = x - xMean;
            var (u, s, vt) = linalg.svd(x.transpose(1, 2).bmm(y - yMean), fullMatrices: false);
            // The smallest singular direction gives way where the best orthogonal matrix mirrors.
            var signs = ones_like(s);
            signs.select(1, -1).copy_(linalg.det(u.bmm(vt)).sign());
            var scale = (s * signs).sum(1) / x.square().sum([1, 2]).clamp_min(1e-300);
            return (scale.view(-1, 1, 1) * x.bmm((u * signs.unsqueeze(1)).bmm(vt)) + yMean).view(source.shape);
        });
    }
}
