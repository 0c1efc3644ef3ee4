using Langevin.Denoisers;
using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The steps' part of the variational bound for given noise levels γ_0 &lt; … &lt; γ_S: Σ_k KL(q(z_{k−1} | z_k, x_0) ‖ p(z_{k−1} | z_k)) =
/// ½ Σ_k (e^{γ_k − γ_{k−1}} − 1) ‖ε − ε̂(z_k; γ_k)‖² (Kingma et al. 2021, equation 13). In few steps it depends on where the levels lie, so that
/// with a trained network it is what a schedule is chosen by (Watson et al. 2021; Lam et al. 2022).
/// </summary>
/// <param name="Told">How the network is told γ.</param>
public sealed record StepBound(LogSnrPreconditioning Told)
{
    /// <summary>The terms from the least noise up, [N, S], nats a dimension; gradients reach the levels.</summary>
    /// <param name="network">Predicts ε.</param>
    /// <param name="gamma">The levels, float64 [N, S + 1].</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="condition">What the network is told besides.</param>
    /// <param name="noise">ε of each step, [N, S, ...].</param>
    public Tensor Terms(Network network, Tensor gamma, Tensor x0, Condition condition, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var scope = NewDisposeScope();
        long count = x0.shape[0], steps = gamma.shape[1] - 1;
        if (!noise.shape.SequenceEqual([count, steps, .. x0.shape[1..]]))
            throw new ArgumentException($"The noise is [{string.Join(", ", noise.shape)}]; it must be [{string.Join(", ", [count, steps, .. x0.shape[1..]])}].", nameof(noise));
        Tensor Rows(Tensor value) => value.repeat_interleave(steps, 0);
        var level = gamma[.., 1..].flatten();
        var epsilon = noise.flatten(0, 1);
        var z = Gaussians.AtLogNsr(level, Rows(x0), epsilon);
        var answer = network.call(z, Told.Noise(level).to(x0.dtype), condition.Map((_, value) => Rows(value)));
        var error = (answer - epsilon).square().flatten(1).mean([1]).view(count, steps);
        return (0.5 * (gamma[.., 1..] - gamma[.., ..^1]).expm1() * error).MoveToOuterDisposeScope();
    }
}
