using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>The exact answer to a linear inverse problem whose data are a mixture of Gaussians.</summary>
public static class MixturePosterior
{
    /// <summary>
    /// p(x | y), again a mixture: C'_k = C_k − K_k A C_k and m'_k = m_k + K_k (y − A m_k) with K_k = C_k Aᵀ (A C_k Aᵀ + σ_y² I)⁻¹, and
    /// w'_k ∝ w_k N(y; A m_k, A C_k Aᵀ + σ_y² I). By dense matrices: for small pictures.
    /// </summary>
    /// <param name="prior">p(x).</param>
    /// <param name="measurement">One y, [1, ...], of a linear operator. Rows of A that are 0 (pixels that are not seen) say nothing.</param>
    /// <exception cref="ArgumentException">Several measurements, or none.</exception>
    public static GaussianMixture Posterior(this GaussianMixture prior, Measurement measurement)
    {
        if (measurement.Y.shape[0] != 1) throw new ArgumentException($"The posterior is of one measurement; y is [{string.Join(", ", measurement.Y.shape)}].", nameof(measurement));
        using var scope = NewDisposeScope();
        Tensor weights = prior.Weights, means = prior.Means.to(ScalarType.Float64), covariances = prior.Covariances.to(ScalarType.Float64);
        var itemShape = means.shape[1..];
        means = means.flatten(1);
        // In the directions that are measured, A = U S Vᵀ: as many equations as its rank, so that σ_y may be 0.
        var (u, s, vt) = linalg.svd(measurement.Linear.Dense(itemShape), fullMatrices: false);
        long rank = s.gt(1e-9 * s.max()).sum().item<long>();
        var matrix = s.narrow(0, 0, rank).unsqueeze(1) * vt.narrow(0, 0, rank);
        var y = einsum("mr,m->r", u.narrow(1, 0, rank), measurement.Y.to(ScalarType.Float64).flatten());
        var cross = einsum("kde,re->kdr", covariances, matrix);                                          // C Aᵀ
        var total = einsum("rd,kdq->krq", matrix, cross) + measurement.Sigma * measurement.Sigma * eye(rank, dtype: ScalarType.Float64);
        var inverse = linalg.inv(total);
        var gain = einsum("kdr,krq->kdq", cross, inverse);
        var surprise = y - einsum("rd,kd->kr", matrix, means);
        var (_, logDeterminant) = linalg.slogdet(total);
        var logLikelihood = -0.5 * (einsum("kr,krq,kq->k", surprise, inverse, surprise) + logDeterminant);
        var logits = weights.to(ScalarType.Float64).log() + logLikelihood;
        var updated = means + einsum("kdr,kr->kd", gain, surprise);
        var left = covariances - einsum("kdr,ker->kde", gain, cross);
        return GaussianMixture.WithCovariances(prior.Process, logits.softmax(0), updated.view([updated.shape[0], .. itemShape]), 0.5 * (left + left.transpose(1, 2)));
    }
}
