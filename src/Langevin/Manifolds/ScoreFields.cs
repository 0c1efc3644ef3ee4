using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Manifolds;

/// <summary>∇ log p_τ on a manifold, of data that Brownian motion has carried for a time τ: what a denoiser is in flat space.</summary>
public interface IScoreField
{
    /// <summary>The manifold.</summary>
    Manifold Manifold { get; }

    /// <summary>The score, tangent at x, [N, D].</summary>
    /// <param name="x">Points, [N, D].</param>
    /// <param name="time">τ, float64 [N].</param>
    Tensor Score(Tensor x, Tensor time);
}

/// <summary>A network's answer made tangent and divided by √τ, as a score is of the size of noise over its variance; it is told ½ ln τ.</summary>
/// <param name="manifold">The manifold.</param>
/// <param name="network">A network of vectors of the manifold's ambient length.</param>
public sealed class NetworkScore(Manifold manifold, Network network) : IScoreField
{
    /// <inheritdoc/>
    public Manifold Manifold => manifold;

    /// <inheritdoc/>
    public Tensor Score(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        var input = x.to(ScalarType.Float32);
        var answer = network.call(input, (0.5 * time.log()).to(ScalarType.Float32), Condition.None).to(x.dtype);
        return (manifold.Tangent(x, answer) / time.sqrt().unsqueeze(-1).to(x.dtype)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Data distributed as a mixture of heat kernels, whose score and density are exact at every time, for Brownian motion only makes each component's own time
/// longer: the oracle of this place, as mixtures of Gaussians are of flat space.
/// </summary>
public sealed class HeatMixture : IScoreField, IDisposable
{
    private readonly Tensor logWeights, centres, times;

    /// <summary>A mixture.</summary>
    /// <param name="manifold">The manifold.</param>
    /// <param name="weights">[K], positive; normalised here.</param>
    /// <param name="centres">[K, D], on the manifold.</param>
    /// <param name="times">[K], each component's own τ.</param>
    public HeatMixture(Manifold manifold, Tensor weights, Tensor centres, Tensor times)
    {
        Manifold = manifold;
        using var scope = NewDisposeScope();
        logWeights = (weights / weights.sum()).log().to(ScalarType.Float64).DetachFromDisposeScope();
        this.centres = centres.to(ScalarType.Float64).clone().DetachFromDisposeScope();
        this.times = times.to(ScalarType.Float64).clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public Manifold Manifold { get; }

    /// <inheritdoc/>
    public Tensor Score(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        var (log, score) = Components(x, time);
        return (log.softmax(1).unsqueeze(-1) * score).sum(1).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>log p_τ(x), exact, in nats, [N]; τ = 0 is the data.</summary>
    public Tensor LogProbability(Tensor x, Tensor time)
    {
        using var scope = NewDisposeScope();
        return Components(x, time).Log.logsumexp(1).MoveToOuterDisposeScope();
    }

    /// <summary>Draws data, float64 [count, D], by geodesic random walks of so many steps from the centres.</summary>
    public Tensor Draw(long count, int steps, Generator generator)
    {
        using var scope = NewDisposeScope();
        var which = multinomial(logWeights.exp(), count, replacement: true, generator: generator);
        return GeodesicWalk.Forward(Manifold, centres.index_select(0, which), times.index_select(0, which), steps, generator).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        logWeights.Dispose();
        centres.Dispose();
        times.Dispose();
    }

    // log(w_k p) [N, K], and each component's score [N, K, D].
    private (Tensor Log, Tensor Score) Components(Tensor x, Tensor time)
    {
        long n = x.shape[0], k = centres.shape[0], d = centres.shape[1];
        var at = x.to(ScalarType.Float64).repeat_interleave(k, 0);
        var (log, score) = Manifold.Heat(at, centres.repeat(n, 1), (time.to(ScalarType.Float64).view(-1, 1) + times).expand(n, k).reshape(-1));
        return (logWeights + log.view(n, k), score.view(n, k, d));
    }
}
