using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Discrete;

/// <summary>
/// L_vb + λ L_ce in nats an element: the divergence of the model's reverse step from q(x_(n−1) | x_n, x_0), at n = 0 the surprise of the
/// data, and the cross-entropy of the data under the model's belief (Austin et al. 2021, equation 5).
/// </summary>
/// <param name="Bound">Weight of the bound.</param>
/// <param name="CrossEntropy">λ.</param>
public sealed record CategoricalObjective(double Bound = 1, double CrossEntropy = 0.01)
{
    private const double Tiny = 1e-20;

    /// <summary>The loss of each sample at a step of its own.</summary>
    /// <param name="denoiser">What is trained.</param>
    /// <param name="x0">int64 [N, ...].</param>
    /// <param name="condition">What it is told besides.</param>
    /// <param name="n">int64 [N].</param>
    /// <param name="noise">Corrupts the data.</param>
    /// <returns>[N], mean over the elements. T times the bound's part has the expectation of the whole bound, but for the prior's.</returns>
    public Tensor Loss(ICategoricalDenoiser denoiser, Tensor x0, Condition condition, Tensor n, INoise noise)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        using var scope = NewDisposeScope();
        var x = denoiser.Process.Corrupt(x0, n, noise);
        var log = denoiser.LogProbabilities(x, n, condition);
        var loss = zeros_like(log.select(-1, 0));
        if (Bound != 0) loss = loss + Bound * Divergence(denoiser.Process, x, x0, log, n);
        if (CrossEntropy != 0) loss = loss - CrossEntropy * log.gather(-1, x0.unsqueeze(-1)).squeeze(-1);
        return loss.flatten(1).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The variational bound on −log₂ p(x_0), bits for a sample, [N]: every step's divergence at one draw of x_n each, and the prior's.
    /// </summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="x0">int64 [N, ...].</param>
    /// <param name="condition">What it is told besides.</param>
    /// <param name="noise">Corrupts the data.</param>
    /// <param name="cancellation">Stops it.</param>
    public static Tensor Bits(ICategoricalDenoiser denoiser, Tensor x0, Condition condition, INoise noise, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var process = denoiser.Process;
        var last = full_like(x0.flatten(1).select(1, 0), process.Steps - 1);
        var end = process.Marginal(process.OneHot(x0).to(ScalarType.Float64), last);
        var prior = process.Prior().to(end.device);
        var total = (end * (end.clamp_min(Tiny).log() - prior.clamp_min(Tiny).log())).flatten(1).sum([1L]);
        for (int step = 0; step < process.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var n = full_like(last, step);
            var x = process.Corrupt(x0, n, noise);
            total = (total + Divergence(process, x, x0, denoiser.LogProbabilities(x, n, condition), n).to(ScalarType.Float64).flatten(1).sum([1L])).MoveToOuterDisposeScope();
        }
        return (total / Math.Log(2)).MoveToOuterDisposeScope();
    }

    // At n = 0 the true reverse step is certain of the data, so that the divergence is their surprise.
    private static Tensor Divergence(CategoricalProcess process, Tensor x, Tensor x0, Tensor log, Tensor n)
    {
        var truth = process.Posterior(x, process.OneHot(x0).to(log.dtype), n);
        var model = process.Posterior(x, log.exp(), n);
        return (truth * (truth.clamp_min(Tiny).log() - model.clamp_min(Tiny).log())).sum([-1L]);
    }
}
