using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// RED-diff (Mardani et al. 2024, algorithm 1): one picture μ is fitted by Adam to ½‖y − A(μ)‖² + λ_t ⟨ε̂(x_t) − ε, μ⟩ with x_t = α μ + σ ε, over
/// descending times, λ_t = λ σ/α. What it yields is μ itself, an estimate and not a sample; the start does not matter.
/// </summary>
/// <param name="Measurement">What is known, of any operator.</param>
/// <param name="Lambda">λ: weight of the model.</param>
/// <param name="Rate">Adam's learning rate.</param>
public sealed record RedDiff(Measurement Measurement, double Lambda = 0.25, double Rate = 0.1) : Sampler
{
    private const double Beta1 = 0.9, Beta2 = 0.99;

    // A⁺y would blow the noise up beyond Adam's reach where singular values are small.
    private Tensor Start() => Measurement is { Operator: LinearOperator a, Sigma: > 0 and var sigma }
        ? a.RidgeInverse(Measurement.Y, sigma * sigma)
        : Measurement.Operator.PseudoInverse(Measurement.Y);

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        Tensor? first = null, second = null;
        return (x, t, s) =>
        {
            var mu = run.Index == 0 ? Start().expand(x.shape) : x;
            var epsilon = run.Noise(x);
            double alpha = run.Process.Alpha(t), sigma = run.Process.Sigma(t);
            var model = run.Denoise(alpha * mu + sigma * epsilon, t).Epsilon - epsilon;
            // Pure noise (α = 0) is told apart from nothing: the weight is that of a small signal.
            var gradient = Lambda * sigma / Math.Max(alpha, 1e-3) * model - Measurement.Operator.Pullback(mu, Measurement.Residual(mu));
            first = run.Keep(first is null ? (1 - Beta1) * gradient : first.lerp(gradient, 1 - Beta1), first);
            second = run.Keep(second is null ? (1 - Beta2) * gradient.square() : second.lerp(gradient.square(), 1 - Beta2), second);
            double n = run.Index + 1;
            return mu - Rate / (1 - Math.Pow(Beta1, n)) * first / ((second / (1 - Math.Pow(Beta2, n))).sqrt() + 1e-8);
        };
    }
}
