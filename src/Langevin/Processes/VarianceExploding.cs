namespace Langevin.Processes;

/// <summary>
/// The continuous variance-exploding SDE (Song et al. 2021, "VE"): α = 1, σ(t) = σ_min (σ_max/σ_min)^t on t ∈ [0, 1].
/// Clean data lie at t = −∞.
/// </summary>
/// <param name="SigmaMin">σ(0) &gt; 0.</param>
/// <param name="SigmaMax">σ(1).</param>
public sealed class VarianceExploding(double SigmaMin = 0.01, double SigmaMax = 50) : GaussianProcess
{
    private readonly double logRatio = SigmaMin > 0 && SigmaMax > SigmaMin
        ? Math.Log(SigmaMax / SigmaMin)
        : throw new ArgumentException($"A variance-exploding process needs 0 < σ_min < σ_max, not {SigmaMin} and {SigmaMax}.");

    /// <inheritdoc/>
    public override double MinTime => 1e-5;

    /// <inheritdoc/>
    public override double MaxTime => 1;

    /// <inheritdoc/>
    public override double DataTime => double.NegativeInfinity;

    /// <inheritdoc/>
    public override double PriorStd => SigmaMax;

    /// <inheritdoc/>
    public override double Alpha(double t) => 1;

    /// <inheritdoc/>
    public override double AlphaDot(double t) => 0;

    /// <inheritdoc/>
    public override double Sigma(double t) => SigmaMin * Math.Exp(t * logRatio);

    /// <inheritdoc/>
    public override double SigmaDot(double t) => Sigma(t) * logRatio;

    /// <inheritdoc/>
    public override double TimeOfLambda(double lambda) => (-lambda - Math.Log(SigmaMin)) / logRatio;
}
