using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// A sampler that discretises the reverse SDE (Song et al. 2021): from t to s it draws from N(mean, std² I). The last step of
/// the grid ends at the mean, which is a denoising by Tweedie's formula, unless <see cref="EndsAtMean"/> is off.
/// </summary>
public abstract record Predictor : Sampler
{
    /// <summary>Whether the last step ends at the mean, without noise.</summary>
    public bool EndsAtMean { get; init; } = true;

    /// <summary>Mean and standard deviation of the step.</summary>
    /// <param name="process">The process.</param>
    /// <param name="prediction">What the denoiser says of x_t.</param>
    /// <param name="t">Where the step begins.</param>
    /// <param name="s">Where it ends, below t.</param>
    protected abstract (Tensor Mean, double Std) Move(GaussianProcess process, Prediction prediction, double t, double s);

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run) => (x, t, s) =>
    {
        var (mean, std) = Move(run.Process, run.Denoise(x, t), t, s);
        return std > 0 && !(EndsAtMean && run.IsLast) ? mean + std * run.Noise(x, t, s) : mean;
    };

    /// <summary>Refuses to start where no signal is left, so that the step's formula divides by zero.</summary>
    private protected static void NeedSignal(GaussianProcess process, double t)
    {
        if (!(process.Alpha(t) > 0))
            throw new ArgumentException($"The process has no signal at time {t} (α = 0), where the reverse SDE is singular: begin the grid below it, or use Ddim or DdpmAncestral.");
    }
}

/// <summary>
/// Euler–Maruyama on the reverse SDE dx = (f x − g² ∇log p) dt + g dw (survey equation 10), in the process's own time.
/// </summary>
/// <param name="ProbabilityFlow">Whether to follow the deterministic flow dx = (f x − ½ g² ∇log p) dt instead.</param>
public sealed record EulerMaruyama(bool ProbabilityFlow = false) : Predictor
{
    /// <inheritdoc/>
    protected override (Tensor Mean, double Std) Move(GaussianProcess process, Prediction prediction, double t, double s)
    {
        NeedSignal(process, t);
        if (double.IsInfinity(s)) throw new ArgumentException($"Euler–Maruyama cannot step to time {s}: end the grid at the process's smallest time.");
        double g2 = process.DiffusionSquared(t), share = ProbabilityFlow ? 0.5 : 1;
        var mean = prediction.X + (s - t) * (process.Drift(t) * prediction.X - share * g2 * prediction.Score);
        return (mean, ProbabilityFlow ? 0 : Math.Sqrt(g2 * (t - s)));
    }
}

/// <summary>
/// The reverse-diffusion predictor (Song et al. 2021, appendix E): the forward transition q(x_t | x_s) = N(a x_s, v I) with the
/// drift turned round, x_s = (2 − a) x_t + v ∇log p + √v z.
/// </summary>
/// <param name="ProbabilityFlow">Whether to follow the deterministic flow, with half the score and no noise.</param>
public sealed record ReverseDiffusion(bool ProbabilityFlow = false) : Predictor
{
    /// <inheritdoc/>
    protected override (Tensor Mean, double Std) Move(GaussianProcess process, Prediction prediction, double t, double s)
    {
        var (scale, variance) = process.Transition(s, t);
        var mean = (2 - scale) * prediction.X + (ProbabilityFlow ? 0.5 : 1) * variance * prediction.Score;
        return (mean, ProbabilityFlow ? 0 : Math.Sqrt(variance));
    }
}

/// <summary>
/// The ancestral predictor (Song et al. 2021, appendix F): the posterior's mean by the score, (x_t + v ∇log p)/a, with the
/// posterior's variance (the reference's choice for VE) or the transition's (its choice for VP).
/// </summary>
/// <param name="Variance">Small or large.</param>
public sealed record AncestralPredictor(ReverseVariance Variance = ReverseVariance.Small) : Predictor
{
    /// <inheritdoc/>
    protected override (Tensor Mean, double Std) Move(GaussianProcess process, Prediction prediction, double t, double s)
    {
        NeedSignal(process, t);
        var (scale, variance) = process.Transition(s, t);
        var mean = (prediction.X + variance * prediction.Score) / scale;
        return (mean, Math.Sqrt(Variance switch
        {
            ReverseVariance.Small => process.Posterior(s, t).Variance,
            ReverseVariance.Large => variance,
            _ => throw new ArgumentException("The ancestral predictor takes the small or the large variance; DdpmAncestral takes a learned one."),
        }));
    }
}
