using Langevin.Processes;

namespace Langevin.Denoisers;

/// <summary>
/// The network predicts the mean of x_(n−1) itself (the "previous x" models of guided diffusion). The posterior's mean is linear
/// in x_0 and x_n, so this is a prediction of x_0 with c_skip = −c_x/c_0 and c_out = 1/c_0.
/// </summary>
/// <param name="Scale">What the step is multiplied by before the network is told of it.</param>
/// <param name="Steps">The step of the network's own table that each step of the process is, for a respaced process; null for the same.</param>
public sealed record PosteriorMeanPreconditioning(double Scale = 1, IReadOnlyList<int>? Steps = null) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.X0;

    /// <inheritdoc/>
    public override bool HasSkip => true;

    /// <inheritdoc/>
    public override double Skip(GaussianProcess process, double t)
    {
        var posterior = process.Posterior(t - 1, t);
        return -posterior.OfX / posterior.OfX0;
    }

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t) => 1 / process.Posterior(t - 1, t).OfX0;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Scale * (Steps is null ? t : Steps[(int)t]);
}
