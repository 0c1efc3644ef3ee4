using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>The three terms of the continuous bound of each sample, [N], bits a dimension; gradients reach network and schedule.</summary>
/// <param name="Prior">KL(q(z_1|x) ‖ N(0, I)).</param>
/// <param name="Reconstruction">−log p(x|z_0).</param>
/// <param name="Diffusion">½ γ'(t) ‖ε − ε̂‖² at the sample's own t.</param>
/// <param name="Spread">What to make small in order that the diffusion term vary less: see <see cref="ScheduledBound.Spread"/>. A scalar.</param>
public sealed record ScheduledTerms(Tensor Prior, Tensor Reconstruction, Tensor Diffusion, Tensor Spread);

/// <summary>
/// The training loss of a variational diffusion model (Kingma et al. 2021, sections 4 and 5): the bound in continuous time, under a schedule
/// that learns. Its ends learn by the bound itself; what lies between, which the bound does not depend on, by the variance of its estimate.
/// </summary>
/// <param name="Told">How the network is told γ.</param>
/// <param name="Decoder">The likelihood of data given z_0/α_0; 256 levels in [−1, 1] if not given.</param>
public sealed record ScheduledBound(LogSnrPreconditioning Told, Decoder? Decoder = null)
{
    /// <summary>The bound's estimate for a batch, plus the schedule's own loss at value 0: what one step of training makes small. A scalar, bits a dimension.</summary>
    /// <param name="network">Predicts ε.</param>
    /// <param name="schedule">γ(t).</param>
    /// <param name="x0">Clean data, [N, ...].</param>
    /// <param name="condition">What the network is told besides.</param>
    /// <param name="t">Times in [0, 1], [N]; see <see cref="EvenTimes"/>.</param>
    /// <param name="noise">ε, shaped as x0: that of z_t, and of z_0 too.</param>
    public Tensor Loss(Network network, MonotoneSchedule schedule, Tensor x0, Condition condition, Tensor t, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var terms = Terms(network, schedule, x0, condition, t, noise);
        return ((terms.Prior + terms.Reconstruction + terms.Diffusion).mean() + terms.Spread - terms.Spread.detach()).MoveToOuterDisposeScope();
    }

    /// <summary>The terms, in the current dispose scope.</summary>
    public ScheduledTerms Terms(Network network, MonotoneSchedule schedule, Tensor x0, Condition condition, Tensor t, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(schedule);
        using var scope = NewDisposeScope();
        var (share, slope, bend) = schedule.Interior(t);
        Tensor low = schedule.Low, width = schedule.Width, high = low + width, gamma = low + width * share.detach();

        // Between the ends γ learns by its spread alone.
        var z = Gaussians.AtLogNsr(gamma, x0, noise);
        var answer = network.call(z, Told.Noise(gamma).to(x0.dtype), condition);
        var error = (answer - noise).square().flatten(1).mean([1]);
        var diffusion = 0.5 / Math.Log(2) * width * slope.detach() * error;

        var observed = Gaussians.AtLogNsr(low, x0, noise) / (-low).sigmoid().sqrt().to(x0.dtype);
        var reconstruction = VariationalBound.BitsPerDimension(-(Decoder ?? new LevelPosterior()).LogLikelihood(x0, observed, low.to(x0.dtype)));
        var prior = VariationalBound.BitsPerDimension(Gaussians.Kl((-high).sigmoid().sqrt() * x0, high.sigmoid().log(), zeros([], ScalarType.Float64), zeros([], ScalarType.Float64)));
        var spread = Spread(share, slope, bend, error.detach());
        return new(prior.MoveToOuterDisposeScope(), reconstruction.MoveToOuterDisposeScope(), diffusion.MoveToOuterDisposeScope(), spread.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// A scalar whose gradient in the schedule's interior is that of E[L²]/E[L]², L = s'(t) e(γ(t)) being the diffusion term. With f(γ) = E[e²] the
    /// mean square is ∫ s'² f dt; varied, and integrated by parts, it gives ∫ f (½ δ(s'²) − s'' δs) dt, which needs e alone and not how the
    /// network answers to another γ. It is least where s' ∝ 1/√f.
    /// </summary>
    /// <param name="share">s at the times, with gradient.</param>
    /// <param name="slope">s', with gradient.</param>
    /// <param name="bend">s''.</param>
    /// <param name="error">e, mean squared errors of ε there, without gradient.</param>
    public static Tensor Spread(Tensor share, Tensor slope, Tensor bend, Tensor error)
    {
        using var scope = NewDisposeScope();
        error = error.to(ScalarType.Float64);
        var size = (slope.detach() * error).mean().square();
        return ((error.square() * (0.5 * slope.square() - bend.detach() * share)).mean() / size).MoveToOuterDisposeScope();
    }

    /// <summary>Times (u + i/N) mod 1 from one u (Kingma et al. 2021, appendix I.1), float64 [N].</summary>
    /// <param name="count">N.</param>
    /// <param name="generator">Where u comes from; libtorch's own if null.</param>
    public static Tensor EvenTimes(long count, Generator? generator = null)
    {
        using var scope = NewDisposeScope();
        return ((rand([1], ScalarType.Float64, generator: generator) + arange(count, ScalarType.Float64) / count) % 1).MoveToOuterDisposeScope();
    }
}
