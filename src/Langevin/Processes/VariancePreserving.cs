namespace Langevin.Processes;

/// <summary>
/// A continuous variance-preserving process, α² + σ² = 1, given by log α(t) on t ∈ [0, 1] and its derivative.
/// </summary>
public sealed class VariancePreserving : GaussianProcess
{
    private readonly Func<double, double> logAlpha, logAlphaDot;
    private readonly Func<double, double>? timeOfLogAlpha;

    /// <summary>A process from log α(t), its derivative, and optionally the inverse of log α.</summary>
    /// <param name="logAlpha">log α(t), decreasing from 0 at t = 0.</param>
    /// <param name="logAlphaDot">d log α/dt.</param>
    /// <param name="timeOfLogAlpha">t as a function of log α.</param>
    /// <param name="minTime">Smallest time trained on and sampled from.</param>
    /// <param name="maxTime">Largest time.</param>
    public VariancePreserving(Func<double, double> logAlpha, Func<double, double> logAlphaDot, Func<double, double>? timeOfLogAlpha = null,
        double minTime = 1e-3, double maxTime = 1)
    {
        (this.logAlpha, this.logAlphaDot, this.timeOfLogAlpha) = (logAlpha, logAlphaDot, timeOfLogAlpha);
        (MinTime, MaxTime) = (minTime, maxTime);
    }

    /// <summary>The VP SDE of Song et al. 2021: β(t) = β_min + t (β_max − β_min).</summary>
    public static VariancePreserving Linear(double betaMin = 0.1, double betaMax = 20, double minTime = 1e-3)
    {
        double slope = betaMax - betaMin;
        return new(
            t => -0.25 * t * t * slope - 0.5 * t * betaMin,
            t => -0.5 * (betaMin + t * slope),
            l => -4 * l / (Math.Sqrt(betaMin * betaMin - 4 * slope * l) + betaMin),
            minTime);
    }

    /// <summary>The cosine schedule of Nichol &amp; Dhariwal 2021 in continuous time: α = cos(π/2 (t+s)/(1+s)) / cos(π/2 s/(1+s)).</summary>
    public static VariancePreserving Cosine(double offset = 0.008, double minTime = 1e-3, double maxTime = 0.9946)
    {
        double rate = Math.PI / 2 / (1 + offset), start = Math.Log(Math.Cos(rate * offset));
        return new(
            t => Math.Log(Math.Cos(rate * (t + offset))) - start,
            t => -rate * Math.Tan(rate * (t + offset)),
            l => Math.Acos(Math.Exp(l + start)) / rate - offset,
            minTime, maxTime);
    }

    /// <inheritdoc/>
    public override double MinTime { get; }

    /// <inheritdoc/>
    public override double MaxTime { get; }

    /// <inheritdoc/>
    public override double PriorStd => 1;

    /// <inheritdoc/>
    public override double LogAlpha(double t) => logAlpha(t);

    /// <inheritdoc/>
    public override double Alpha(double t) => Math.Exp(logAlpha(t));

    /// <inheritdoc/>
    public override double Sigma(double t) => Math.Sqrt(-double.ExpM1(2 * logAlpha(t)));

    /// <inheritdoc/>
    public override double AlphaDot(double t) => Alpha(t) * logAlphaDot(t);

    /// <inheritdoc/>
    public override double SigmaDot(double t) => -Math.Exp(2 * logAlpha(t)) * logAlphaDot(t) / Sigma(t);

    /// <inheritdoc/>
    public override double Drift(double t) => logAlphaDot(t);

    /// <inheritdoc/>
    public override double DiffusionSquared(double t) => -2 * logAlphaDot(t);

    /// <inheritdoc/>
    public override double TimeOfLambda(double lambda) => timeOfLogAlpha is { } inverse
        ? inverse(-0.5 * LogOnePlusExp(-2 * lambda)) // α² = 1 / (1 + e^(−2λ))
        : base.TimeOfLambda(lambda);

    private static double LogOnePlusExp(double x) => x > 0 ? x + double.LogP1(Math.Exp(-x)) : double.LogP1(Math.Exp(x));
}
