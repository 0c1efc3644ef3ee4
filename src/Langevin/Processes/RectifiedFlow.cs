namespace Langevin.Processes;

/// <summary>
/// The straight path of rectified flow and flow matching (Liu et al. 2023; Lipman et al. 2023): α = 1 − t, σ = t,
/// with data at t = 0 and noise at t = 1.
/// </summary>
public sealed class RectifiedFlow(double minTime = 1e-3) : GaussianProcess
{
    /// <inheritdoc/>
    public override double MinTime => minTime;

    /// <inheritdoc/>
    public override double MaxTime => 1;

    /// <inheritdoc/>
    public override double Alpha(double t) => 1 - t;

    /// <inheritdoc/>
    public override double AlphaDot(double t) => -1;

    /// <inheritdoc/>
    public override double Sigma(double t) => t;

    /// <inheritdoc/>
    public override double SigmaDot(double t) => 1;

    /// <inheritdoc/>
    public override double TimeOfLambda(double lambda) => 1 / (1 + Math.Exp(lambda));
}
