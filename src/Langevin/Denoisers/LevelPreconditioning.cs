using Langevin.Processes;

namespace Langevin.Denoisers;

/// <summary>The network predicts directly, and is told the signal level α(t) = √ᾱ itself (Chen et al. 2021, WaveGrad).</summary>
/// <param name="Target">What it predicts.</param>
public sealed record LevelPreconditioning(PredictionKind Target = PredictionKind.Epsilon) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => Target;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => process.Alpha(t);

    /// <inheritdoc/>
    public override bool IsPlain => true;
}
