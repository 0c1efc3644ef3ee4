using Langevin.Denoisers;
using static TorchSharp.torch;

namespace Langevin.Objectives;

/// <summary>
/// The loss of a network with learned variance: L_simple + λ L_vlb, where the bound's gradient reaches the variance only and the
/// mean is stopped (Nichol &amp; Dhariwal 2021, section 3.1).
/// </summary>
/// <param name="Simple">The loss of the mean.</param>
/// <param name="Bound">The bound that teaches the variance.</param>
/// <param name="Weight">λ; 0.001 for the paper's sum over all steps in bits a dimension.</param>
public sealed record HybridObjective(Objective Simple, VariationalBound Bound, double Weight = 0.001) : Objective
{
    /// <summary>The objective of improved DDPM: the noise's mean squared error and the bound of 8-bit data.</summary>
    public static HybridObjective Default { get; } = new(new DenoisingObjective(Weighting.Simple), new(ReverseVariance.Learned));

    /// <inheritdoc/>
    public override Tensor Loss(Prediction prediction, Tensor x0, Tensor noise)
    {
        using var scope = NewDisposeScope();
        return (Simple.Loss(prediction, x0, noise) + Weight * Bound.Loss(prediction.Detached(), x0, noise)).MoveToOuterDisposeScope();
    }
}
