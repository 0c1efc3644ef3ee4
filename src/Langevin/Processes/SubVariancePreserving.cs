namespace Langevin.Processes;

/// <summary>
/// The sub-VP SDE (Song et al. 2021): the drift of the linear VP SDE with σ = 1 − α², a variance never above VP's.
/// </summary>
public sealed class SubVariancePreserving(double betaMin = 0.1, double betaMax = 20, double minTime = 1e-3) : GaussianProcess
{
    /// <inheritdoc/>
    public override double MinTime => minTime;

    /// <inheritdoc/>
    public override double MaxTime => 1;

    /// <inheritdoc/>
    public override double PriorStd => 1;

    /// <inheritdoc/>
    public override double LogAlpha(double t) => -0.25 * t * t * (betaMax - betaMin) - 0.5 * t * betaMin;

    /// <inheritdoc/>
    public override double Alpha(double t) => Math.Exp(LogAlpha(t));

    /// <inheritdoc/>
    public override double Drift(double t) => -0.5 * (betaMin + t * (betaMax - betaMin));

    /// <inheritdoc/>
    public override double AlphaDot(double t) => Alpha(t) * Drift(t);

    /// <inheritdoc/>
    public override double Sigma(double t) => -double.ExpM1(2 * LogAlpha(t));

    /// <inheritdoc/>
    public override double SigmaDot(double t) => -2 * Math.Exp(2 * LogAlpha(t)) * Drift(t);
}
