using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>A few steps of Langevin dynamics at one noise level: x ← x + ε ∇log p_t(x) + √(2ε) z.</summary>
/// <param name="Snr">The signal-to-noise ratio r that sets the step size ε; 0.16 is usual.</param>
/// <param name="Count">Langevin steps at each time.</param>
public abstract record Corrector(double Snr, int Count)
{
    /// <summary>Corrects x at time t, before the predictor moves it to s.</summary>
    public Tensor Correct(SamplingRun run, Tensor x, double t, double s)
    {
        double scale = 2 * Math.Pow(run.Process.Transition(s, t).Scale, 2);
        for (int i = 0; i < Count; i++)
        {
            using var scope = NewDisposeScope();
            var score = run.Denoise(x, t).Score;
            var noise = run.Noise(x);
            var step = scale * Base(run, score, noise, t).square();
            x = (x + step * score + (2 * step).sqrt() * noise).MoveToOuterDisposeScope();
        }
        return x;
    }

    /// <summary>√(ε/2) of the step, before the process's scale: 0-d, or [N, 1, ...].</summary>
    protected abstract Tensor Base(SamplingRun run, Tensor score, Tensor noise, double t);
}

/// <summary>
/// The Langevin corrector (Song et al. 2021, algorithms 4 and 5): ε = 2 a² (r ‖z‖/‖∇log p‖)², with a the scale of one step of
/// the process.
/// </summary>
/// <param name="Snr">The signal-to-noise ratio r.</param>
/// <param name="Count">Langevin steps at each time.</param>
/// <param name="BatchNorms">
/// Whether the norms are averaged over the batch as the published code does; a sample then depends on those beside it.
/// </param>
public sealed record LangevinCorrector(double Snr = 0.16, int Count = 1, bool BatchNorms = false) : Corrector(Snr, Count)
{
    /// <inheritdoc/>
    protected override Tensor Base(SamplingRun run, Tensor score, Tensor noise, double t) => Snr * Norm(noise) / Norm(score);

    private Tensor Norm(Tensor x)
    {
        var norms = x.flatten(1).square().sum(1).sqrt();
        return BatchNorms ? norms.mean() : norms.view([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 1)]);
    }
}

/// <summary>The corrector of annealed Langevin dynamics in score_sde: ε = 2 a² (r σ_t)², whatever the score.</summary>
/// <param name="Snr">The signal-to-noise ratio r.</param>
/// <param name="Count">Langevin steps at each time.</param>
public sealed record AnnealedLangevinCorrector(double Snr = 0.16, int Count = 1) : Corrector(Snr, Count)
{
    /// <inheritdoc/>
    protected override Tensor Base(SamplingRun run, Tensor score, Tensor noise, double t) =>
        tensor(Snr * run.Process.Sigma(t), ScalarType.Float64);
}
