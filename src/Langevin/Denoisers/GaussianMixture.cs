using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// Data distributed as a mixture of Gaussians, isotropic or of any covariance, whose denoiser, score and density are exact under every
/// linear-Gaussian process: the oracle against which samplers, likelihoods and networks are checked.
/// </summary>
/// <remarks>p_t is again a mixture, of means α m_k and covariances α² C_k + σ² I, diagonal in the eigenvectors of C_k.</remarks>
public sealed class GaussianMixture : IDenoiser, IDisposable
{
    private readonly Tensor logWeights, means, variances; // [K], [K, D], [K, 1] or [K, D]
    private readonly Tensor? basis; // [K, D, D], eigenvectors of each covariance as columns; null where it is isotropic
    private readonly long[] itemShape;

    /// <summary>A mixture under a process.</summary>
    /// <param name="process">The process that corrupts it.</param>
    /// <param name="weights">[K], positive; normalised here.</param>
    /// <param name="means">[K, ...], shaped as the data after the first dimension.</param>
    /// <param name="stds">[K], standard deviation of each component.</param>
    public GaussianMixture(GaussianProcess process, Tensor weights, Tensor means, Tensor stds)
        : this(process, WrappedTensorDisposeScope(() => (weights / weights.sum()).log()), means, WrappedTensorDisposeScope(() => stds.square().unsqueeze(1)), null) { }

    private GaussianMixture(GaussianProcess process, Tensor logWeights, Tensor means, Tensor variances, Tensor? basis)
    {
        Process = process;
        this.logWeights = logWeights.DetachFromDisposeScope();
        this.means = WrappedTensorDisposeScope(() => means.reshape(means.shape[0], -1).clone()).DetachFromDisposeScope();
        this.variances = variances.DetachFromDisposeScope();
        this.basis = basis?.DetachFromDisposeScope();
        itemShape = means.shape[1..];
    }

    /// <summary>A mixture of Gaussians of any covariance.</summary>
    /// <param name="process">The process that corrupts it.</param>
    /// <param name="weights">[K], positive; normalised here.</param>
    /// <param name="means">[K, ...], shaped as the data after the first dimension, of D numbers each.</param>
    /// <param name="covariances">[K, D, D], symmetric and with no negative eigenvalue: those that rounding makes negative are taken as 0.</param>
    /// <exception cref="ArgumentException">The covariances have another shape.</exception>
    public static GaussianMixture WithCovariances(GaussianProcess process, Tensor weights, Tensor means, Tensor covariances)
    {
        using var scope = NewDisposeScope();
        long count = means.shape[0], size = means.numel() / count;
        if (!covariances.shape.SequenceEqual([count, size, size]))
            throw new ArgumentException($"The covariances are [{string.Join(", ", covariances.shape)}]; these means need [{count}, {size}, {size}].", nameof(covariances));
        var (eigenvalues, eigenvectors) = linalg.eigh(covariances);
        return new(process, (weights / weights.sum()).log(), means, eigenvalues.clamp_min(0), eigenvectors);
    }

    /// <inheritdoc/>
    public GaussianProcess Process { get; }

    /// <summary>The weights, [K], of sum 1; the caller's.</summary>
    public Tensor Weights => logWeights.exp();

    /// <summary>The means, [K, ...]; the caller's.</summary>
    public Tensor Means => means.clone().view([means.shape[0], .. itemShape]);

    /// <summary>The covariances, [K, D, D]; the caller's.</summary>
    public Tensor Covariances => WrappedTensorDisposeScope(() => basis is null
        ? variances.unsqueeze(2) * eye(means.shape[1], dtype: variances.dtype)
        : einsum("kde,ke,kfe->kdf", basis, variances, basis));

    /// <summary>E[x_0], [...]; the caller's.</summary>
    public Tensor Mean() => WrappedTensorDisposeScope(() => einsum("k,kd->d", logWeights.exp(), means).view(itemShape));

    /// <summary>Cov[x_0], [D, D], of the samples as vectors; the caller's.</summary>
    public Tensor Covariance() => WrappedTensorDisposeScope(() =>
    {
        var centred = means - Mean().view(1, -1);
        return einsum("k,kde->de", logWeights.exp(), Covariances + centred.unsqueeze(2) * centred.unsqueeze(1));
    });

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var (difference, variance, logit) = Components(x, t);
        var alpha = t.Vector(Process.Alpha).to(x.dtype).to(x.device).view(-1, 1, 1);
        var sigma = t.Vector(Process.Sigma).to(x.dtype).to(x.device).view(-1, 1, 1);
        // E[x_0 | x, k] = m_k + α s_k²/v_k (x − α m_k) and E[ε | x, k] = σ/v_k (x − α m_k), v_k = α² s_k² + σ², along each eigenvector.
        var responsibility = logit.softmax(1);                                              // [N, K]
        var scaled = difference / variance;
        var x0 = einsum("nk,kd->nd", responsibility, means.to(x.dtype).to(x.device)) + Mixed(responsibility, alpha * variances.to(x.dtype).to(x.device) * scaled);
        var epsilon = Mixed(responsibility, sigma * scaled);
        return new(x0.view(x.shape).MoveToOuterDisposeScope(), epsilon.view(x.shape).MoveToOuterDisposeScope(), x, Process, t);
    }

    /// <summary>log p_t(x), exact, in nats: [N].</summary>
    public Tensor LogProbability(Tensor x, Times t)
    {
        using var scope = NewDisposeScope();
        return Components(x, t).Logit.logsumexp(1).MoveToOuterDisposeScope();
    }

    /// <summary>Draws clean data [count, ...] with a generator.</summary>
    public Tensor Draw(long count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var which = multinomial(logWeights.exp(), count, replacement: true, generator: generator);
        var noise = randn([count, means.shape[1]], means.dtype, generator: generator);
        noise = variances.sqrt().index_select(0, which) * noise;
        if (basis is not null) noise = einsum("nde,ne->nd", basis.index_select(0, which), noise);
        return (means.index_select(0, which) + noise).view([count, .. itemShape]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        logWeights.Dispose();
        means.Dispose();
        variances.Dispose();
        basis?.Dispose();
    }

    // Σ r_k d_k, with d_k [N, K, D] along the eigenvectors.
    private Tensor Mixed(Tensor responsibility, Tensor d) => basis is null
        ? einsum("nk,nkd->nd", responsibility, d)
        : einsum("nke,kde->nd", responsibility.unsqueeze(2) * d, basis.to(d.dtype).to(d.device));

    // x − α m_k along the eigenvectors [N, K, D], the variances of p_t's components [N or 1, K, 1 or D], and log(w_k N(x; α m_k, α² C_k + σ² I)) [N, K].
    private (Tensor Difference, Tensor Variance, Tensor Logit) Components(Tensor x, Times t)
    {
        if (!x.shape[1..].SequenceEqual(itemShape))
            throw new ArgumentException($"x is [{string.Join(", ", x.shape)}]; this mixture's samples are [N, {string.Join(", ", itemShape)}].", nameof(x));
        var alpha = t.Vector(Process.Alpha).to(x.dtype).to(x.device).view(-1, 1, 1);
        var sigma = t.Vector(Process.Sigma).to(x.dtype).to(x.device).view(-1, 1, 1);
        var difference = x.reshape(x.shape[0], 1, -1) - alpha * means.to(x.dtype).to(x.device);
        if (basis is not null) difference = einsum("nkd,kde->nke", difference, basis.to(x.dtype).to(x.device));
        var variance = alpha.square() * variances.to(x.dtype).to(x.device) + sigma.square();
        var logVolume = (2 * Math.PI * variance).log().sum(2) * ((double)means.shape[1] / variance.shape[2]);
        var logit = logWeights.to(x.dtype).to(x.device) - 0.5 * ((difference.square() / variance).sum(2) + logVolume);
        return (difference, variance, logit);
    }
}
