using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// Data distributed as a mixture of isotropic Gaussians, whose denoiser, score and density are exact under every
/// linear-Gaussian process: the oracle against which samplers, likelihoods and networks are checked.
/// </summary>
/// <remarks>p_t is again a mixture, of means α m_k and variances α² s_k² + σ².</remarks>
public sealed class GaussianMixture : IDenoiser, IDisposable
{
    private readonly Tensor logWeights, means, variances; // [K], [K, D], [K]
    private readonly long[] itemShape;

    /// <summary>A mixture under a process.</summary>
    /// <param name="process">The process that corrupts it.</param>
    /// <param name="weights">[K], positive; normalised here.</param>
    /// <param name="means">[K, ...], shaped as the data after the first dimension.</param>
    /// <param name="stds">[K], standard deviation of each component.</param>
    public GaussianMixture(GaussianProcess process, Tensor weights, Tensor means, Tensor stds)
    {
        using var scope = NewDisposeScope();
        Process = process;
        logWeights = (weights / weights.sum()).log().MoveToOuterDisposeScope().DetachFromDisposeScope();
        this.means = means.reshape(means.shape[0], -1).clone().MoveToOuterDisposeScope().DetachFromDisposeScope();
        variances = stds.square().MoveToOuterDisposeScope().DetachFromDisposeScope();
        itemShape = means.shape[1..];
    }

    /// <inheritdoc/>
    public GaussianProcess Process { get; }

    /// <inheritdoc/>
    public Prediction Denoise(Tensor x, Times t, Condition condition)
    {
        using var scope = NewDisposeScope();
        var (difference, variance, logit) = Components(x, t);
        var alpha = t.Vector(Process.Alpha).to(x.dtype).to(x.device).view(-1, 1);
        var sigma = t.Vector(Process.Sigma).to(x.dtype).to(x.device).view(-1, 1);
        // E[x_0 | x, k] = m_k + α s_k²/v_k (x − α m_k) and E[ε | x, k] = σ/v_k (x − α m_k), v_k = α² s_k² + σ².
        var responsibility = logit.softmax(1);                                              // [N, K]
        var gain = responsibility * alpha * variances.to(x.dtype).to(x.device) / variance;      // [N, K]
        var x0 = einsum("nk,kd->nd", responsibility, means.to(x.dtype).to(x.device)) + einsum("nk,nkd->nd", gain, difference);
        var epsilon = einsum("nk,nkd->nd", responsibility * sigma / variance, difference);
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
        return (means.index_select(0, which) + variances.sqrt().index_select(0, which).unsqueeze(1) * noise).view([count, .. itemShape]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        logWeights.Dispose();
        means.Dispose();
        variances.Dispose();
    }

    // x − α m_k [N, K, D], the variances of p_t's components [N or 1, K], and log(w_k N(x; α m_k, v_k)) [N, K].
    private (Tensor Difference, Tensor Variance, Tensor Logit) Components(Tensor x, Times t)
    {
        if (!x.shape[1..].SequenceEqual(itemShape))
            throw new ArgumentException($"x is [{string.Join(", ", x.shape)}]; this mixture's samples are [N, {string.Join(", ", itemShape)}].", nameof(x));
        var alpha = t.Vector(Process.Alpha).to(x.dtype).view(-1, 1);
        var sigma = t.Vector(Process.Sigma).to(x.dtype).view(-1, 1);
        var difference = x.reshape(x.shape[0], 1, -1) - alpha.unsqueeze(2) * means.to(x.dtype);
        var variance = alpha.square() * variances.to(x.dtype) + sigma.square();
        var logit = logWeights.to(x.dtype) - 0.5 * (difference.square().sum(2) / variance + means.shape[1] * (2 * Math.PI * variance).log());
        return (difference, variance, logit);
    }
}
