namespace Langevin.Processes;

/// <summary>
/// A continuous variance-preserving process given by γ(t) = −log(α²/σ²), rising on t ∈ [0, 1]: σ² = sigmoid(γ), α² = sigmoid(−γ)
/// (Kingma et al. 2021, equation 3). Below 0, γ goes on along its tangent, so that clean data lie at t = −∞.
/// </summary>
/// <param name="gamma">γ on [0, 1].</param>
/// <param name="slope">dγ/dt &gt; 0 on [0, 1].</param>
public sealed class LogSnrProcess(Func<double, double> gamma, Func<double, double> slope) : GaussianProcess
{
    private readonly double first = gamma(0), start = slope(0) is > 0 and var s ? s : throw new ArgumentException("γ must rise from its start.", nameof(slope));

    /// <summary>γ along a straight line.</summary>
    /// <param name="low">γ(0), of nearly clean data.</param>
    /// <param name="high">γ(1), of nearly pure noise.</param>
    public static LogSnrProcess Linear(double low = -13.3, double high = 5) => new(t => low + t * (high - low), _ => high - low);

    /// <inheritdoc/>
    public override double MinTime => 0;

    /// <inheritdoc/>
    public override double MaxTime => 1;

    /// <inheritdoc/>
    public override double DataTime => double.NegativeInfinity;

    /// <inheritdoc/>
    public override double PriorStd => 1;

    /// <summary>γ(t).</summary>
    public double Gamma(double t) => t < 0 ? first + t * start : gamma(t);

    /// <summary>dγ/dt.</summary>
    public double GammaDot(double t) => t < 0 ? start : slope(t);

    /// <inheritdoc/>
    public override double Lambda(double t) => -0.5 * Gamma(t);

    /// <inheritdoc/>
    public override double LogAlpha(double t) => -0.5 * Softplus(Gamma(t));

    /// <inheritdoc/>
    public override double Alpha(double t) => Math.Sqrt(Sigmoid(-Gamma(t)));

    /// <inheritdoc/>
    public override double Sigma(double t) => Math.Sqrt(Sigmoid(Gamma(t)));

    /// <inheritdoc/>
    public override double AlphaDot(double t) => Alpha(t) * Drift(t);

    /// <inheritdoc/>
    public override double SigmaDot(double t) => 0.5 * Sigma(t) * Sigmoid(-Gamma(t)) * GammaDot(t);

    /// <inheritdoc/>
    public override double Drift(double t) => -0.5 * DiffusionSquared(t);

    /// <inheritdoc/>
    public override double DiffusionSquared(double t) => Sigmoid(Gamma(t)) is > 0 and var variance ? variance * GammaDot(t) : 0;

    /// <inheritdoc/>
    public override (double Scale, double Variance) Transition(double s, double t)
    {
        double ratio = LogAlpha(t) - LogAlpha(s);
        return (Math.Exp(ratio), -double.ExpM1(2 * ratio));
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Softplus(double x) => x > 0 ? x + double.LogP1(Math.Exp(-x)) : double.LogP1(Math.Exp(x));
}
