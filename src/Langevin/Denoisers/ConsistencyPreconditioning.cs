using Langevin.Processes;

namespace Langevin.Denoisers;

/// <summary>
/// A consistency model's preconditioning (Song et al. 2023, appendix C): EDM's, bent so that at the ratio ε the model is the identity. The
/// network is told 1000 · ln(σ)/4.
/// </summary>
/// <param name="SigmaMin">ε, the ratio σ/α of the boundary, at which x̂_0 = x.</param>
/// <param name="SigmaData">Standard deviation of the data.</param>
public sealed record ConsistencyPreconditioning(double SigmaMin = 0.002, double SigmaData = 0.5) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.X0;

    /// <inheritdoc/>
    public override bool HasSkip => true;

    /// <inheritdoc/>
    public override double Skip(GaussianProcess process, double t)
    {
        double above = Ratio(process, t) - SigmaMin;
        return SigmaData * SigmaData / (above * above + SigmaData * SigmaData) / process.Alpha(t);
    }

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return (s - SigmaMin) * SigmaData / Math.Sqrt(s * s + SigmaData * SigmaData);
    }

    /// <inheritdoc/>
    public override double In(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return 1 / Math.Sqrt(s * s + SigmaData * SigmaData) / process.Alpha(t);
    }

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => 250 * Math.Log(Ratio(process, t));
}
