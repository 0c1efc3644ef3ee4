using Langevin.Samplers;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>
/// Diffusion posterior sampling (Chung et al. 2023, algorithm 1): after each DDIM step down the gradient of the misfit ‖y − A(x̂_0(x_t))‖,
/// taken through the denoiser. For any operator, with or without noise. Written for unit variance and scaled to the process's.
/// </summary>
/// <param name="Measurement">What is known.</param>
/// <param name="Scale">ζ′, the length of a gradient step: near 1 for pictures of 256 × 256; smaller where it overshoots.</param>
/// <param name="Eta">η of the step: 1 is ancestral, as published.</param>
public sealed record Dps(Measurement Measurement, double Scale = 1, double Eta = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var (next, ascent) = Guided(run, Measurement, Eta, x, t, s);
        return next + Scale * ascent;
    };

    // The DDIM step, and −∂‖y − A(x̂_0)‖/∂x as a shift at s.
    internal static (Tensor Next, Tensor Ascent) Guided(SamplingRun run, Measurement measurement, double eta, Tensor x, double t, double s)
    {
        var (said, pulled) = Gradient.Of(u => run.Denoise(u, t), x, x0 =>
        {
            var residual = measurement.Residual(x0);
            var norm = residual.flatten(1).square().sum(1).sqrt().clamp_min(1e-30).view([-1, .. Enumerable.Repeat(1L, (int)residual.dim() - 1)]);
            return measurement.Operator.Pullback(x0, residual / norm);
        });
        return (DdimStep(run, said, eta, s), Norm(run, t) * Norm(run, s) * pulled);
    }

    internal static Tensor DdimStep(SamplingRun run, Denoisers.Prediction said, double eta, double s)
    {
        var (kept, fresh) = Ddim.Split(run.Process, said.Time.Value, s, eta);
        var next = run.Process.Alpha(s) * said.X0 + kept * said.Epsilon;
        return fresh > 0 ? next + fresh * run.Noise(said.X) : next;
    }

    private static double Norm(SamplingRun run, double t) => Math.Sqrt(Math.Pow(run.Process.Alpha(t), 2) + Math.Pow(run.Process.Sigma(t), 2));
}

/// <summary>
/// Manifold-constrained gradients (Chung et al. 2022): the gradient step of <see cref="Dps"/>, then a projection onto the measurement
/// as it would look at that time, x ← x + A⁺(α_s y + σ_s A z − A x). For linear operators and little noise: it ends at A x = y.
/// </summary>
/// <param name="Measurement">What is known.</param>
/// <param name="Scale">The length of a gradient step.</param>
/// <param name="Eta">η of the step.</param>
public sealed record Mcg(Measurement Measurement, double Scale = 1, double Eta = 1) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var (next, ascent) = Dps.Guided(run, Measurement, Eta, x, t, s);
        next = next + Scale * ascent;
        double sigma = run.Process.Sigma(s);
        var shift = sigma > 0 ? sigma * run.Noise(x) - next : -next;
        return next + Measurement.Linear.PseudoInverse(run.Process.Alpha(s) * Measurement.Y + Measurement.Operator.Forward(shift));
    };
}
