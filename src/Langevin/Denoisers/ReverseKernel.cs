using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>Which variance the reverse step has.</summary>
public enum ReverseVariance
{
    /// <summary>The posterior's, β̃: right for data that are a single point ("fixed small").</summary>
    Small,

    /// <summary>The transition's, β: right for data that are already Gaussian ("fixed large").</summary>
    Large,

    /// <summary>What the network says, encoded as its prediction states (<see cref="Prediction.VarianceKind"/>).</summary>
    Learned,
}

/// <summary>
/// The reverse step p(x_s | x_t) = N(<see cref="Mean"/>, exp(<see cref="LogVariance"/>)) for s &lt; t that a prediction implies:
/// the forward posterior q(x_s | x_t, x_0) with the predicted x_0 in x_0's place (Ho et al. 2020, equation 11; survey
/// equation 2). The ancestral sampler draws from it, the variational bound measures it.
/// </summary>
public sealed class ReverseKernel
{
    private ReverseKernel(Tensor mean, Tensor logVariance) => (Mean, LogVariance) = (mean, logVariance);

    /// <summary>The mean, shaped as x.</summary>
    public Tensor Mean { get; }

    /// <summary>The log variance: shaped as x where it is learned, else to broadcast against x.</summary>
    public Tensor LogVariance { get; }

    /// <summary>The kernel of a prediction at x_t, in the current dispose scope.</summary>
    /// <param name="prediction">What the denoiser said of x_t.</param>
    /// <param name="s">The time of the step's end, below the prediction's.</param>
    /// <param name="variance">Which variance.</param>
    /// <param name="above">
    /// The time before t on the sampling grid, which bounds the log variance of a step to clean data: see <see cref="LogSmall"/>.
    /// </param>
    /// <exception cref="ArgumentException">A learned variance is asked for and the prediction has none.</exception>
    public static ReverseKernel Of(Prediction prediction, Times s, ReverseVariance variance = ReverseVariance.Small, double? above = null)
    {
        using var scope = NewDisposeScope();
        var (process, t, x) = (prediction.Process, prediction.Time, prediction.X);
        var x0 = prediction.X0;
        if (scope.Contains(x0)) x0.MoveToOuterDisposeScope(); // the prediction keeps its views
        var mean = s.Zip(t, (s, t) => process.Posterior(s, t).OfX).As(x) * x + s.Zip(t, (s, t) => process.Posterior(s, t).OfX0).As(x) * x0;
        return new(mean.MoveToOuterDisposeScope(), LogVarianceOf(prediction, s, variance, above).MoveToOuterDisposeScope());
    }

    /// <summary>A draw from the kernel.</summary>
    /// <param name="noise">Standard normal, shaped as x.</param>
    public Tensor Draw(Tensor noise)
    {
        using var scope = NewDisposeScope();
        return (Mean + (0.5 * LogVariance).exp() * noise).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// log β̃ of the step from t to s. A step to clean data has none (β̃ = 0): it takes that of the step before it, from
    /// <paramref name="above"/> to t, as published models were trained to, or (σ/α)² where there is no such step.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="s">The step's end.</param>
    /// <param name="t">The step's start.</param>
    /// <param name="above">The time before t on the grid; t + 1 of a table if not given.</param>
    public static double LogSmall(GaussianProcess process, double s, double t, double? above = null)
    {
        double variance = process.Posterior(s, t).Variance;
        if (variance > 0) return Math.Log(variance);
        double before = above ?? (process.StepCount is null ? t : t + 1);
        if (before > t && before <= process.MaxTime) return Math.Log(process.Posterior(t, before).Variance);
        var (scale, spread) = process.Transition(s, t);
        return Math.Log(spread / (scale * scale)); // of x_0 given x_t alone
    }

    /// <summary>log β of the step from t to s; a step to clean data takes <see cref="LogSmall"/>'s value.</summary>
    public static double LogLarge(GaussianProcess process, double s, double t, double? above = null) =>
        process.Posterior(s, t).Variance > 0 ? Math.Log(process.Transition(s, t).Variance) : LogSmall(process, s, t, above);

    private static Tensor LogVarianceOf(Prediction prediction, Times s, ReverseVariance variance, double? above)
    {
        var (process, t, x) = (prediction.Process, prediction.Time, prediction.X);
        Tensor Coefficient(Func<GaussianProcess, double, double, double?, double> log) => s.Zip(t, (s, t) => log(process, s, t, above)).As(x);
        if (variance == ReverseVariance.Small) return Coefficient(LogSmall);
        if (variance == ReverseVariance.Large) return Coefficient(LogLarge);
        var value = prediction.Variance ?? throw new ArgumentException(
            "The reverse step is to have the learned variance, but the denoiser predicts none: use the small or the large variance.", nameof(variance));
        if (prediction.VarianceKind == VarianceKind.Learned) return value.alias();
        var share = 0.5 * (value + 1);
        return share * s.Zip(t, (s, t) => Math.Log(process.Transition(s, t).Variance)).As(x) + (1 - share) * Coefficient(LogSmall);
    }
}
