namespace Langevin.Processes;

/// <summary>A process that only adds noise, α = 1, at any rate σ(t) that grows with time from σ(<see cref="DataTime"/>) = 0.</summary>
/// <param name="sigma">σ(t).</param>
/// <param name="sigmaDot">dσ/dt.</param>
/// <param name="timeOfSigma">The inverse of σ(t).</param>
/// <param name="minTime">Smallest time trained on and sampled from.</param>
/// <param name="maxTime">Largest time.</param>
/// <param name="dataTime">Where σ = 0.</param>
public sealed class AdditiveNoise(Func<double, double> sigma, Func<double, double> sigmaDot, Func<double, double> timeOfSigma,
    double minTime, double maxTime, double dataTime = 0) : GaussianProcess
{
    /// <summary>Brownian motion, σ = √t: the variance-exploding SDE as Karras et al. 2022 write it.</summary>
    /// <param name="sigmaMin">Smallest noise level.</param>
    /// <param name="sigmaMax">Largest noise level.</param>
    public static AdditiveNoise Brownian(double sigmaMin = 0.02, double sigmaMax = 100) =>
        new(Math.Sqrt, t => 0.5 / Math.Sqrt(t), s => s * s, sigmaMin * sigmaMin, sigmaMax * sigmaMax);

    /// <inheritdoc/>
    public override double MinTime => minTime;

    /// <inheritdoc/>
    public override double MaxTime => maxTime;

    /// <inheritdoc/>
    public override double DataTime => dataTime;

    /// <inheritdoc/>
    public override double PriorStd => sigma(maxTime);

    /// <inheritdoc/>
    public override double Alpha(double t) => 1;

    /// <inheritdoc/>
    public override double AlphaDot(double t) => 0;

    /// <inheritdoc/>
    public override double Sigma(double t) => sigma(t);

    /// <inheritdoc/>
    public override double SigmaDot(double t) => sigmaDot(t);

    /// <inheritdoc/>
    public override double TimeOfLambda(double lambda) => timeOfSigma(Math.Exp(-lambda));
}
