namespace Langevin.Processes;

/// <summary>The process of EDM (Karras et al. 2022): α = 1, σ = t, so that time is the noise level itself.</summary>
/// <param name="sigmaMin">Smallest noise level that is sampled from, &gt; 0.</param>
/// <param name="sigmaMax">Largest noise level.</param>
public sealed class EdmProcess(double sigmaMin = 0.002, double sigmaMax = 80) : GaussianProcess
{
    /// <inheritdoc/>
    public override double MinTime => sigmaMin;

    /// <inheritdoc/>
    public override double MaxTime => sigmaMax;

    /// <inheritdoc/>
    public override double PriorStd => sigmaMax;

    /// <inheritdoc/>
    public override double Alpha(double t) => 1;

    /// <inheritdoc/>
    public override double AlphaDot(double t) => 0;

    /// <inheritdoc/>
    public override double Sigma(double t) => t;

    /// <inheritdoc/>
    public override double SigmaDot(double t) => 1;

    /// <inheritdoc/>
    public override double TimeOfLambda(double lambda) => Math.Exp(-lambda);
}
