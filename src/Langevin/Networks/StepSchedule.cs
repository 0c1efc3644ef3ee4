using Linear = Langevin.Networks.Layers.Linear;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>
/// The noise levels of a few steps as a function of a condition: γ_k = γ_0 + (γ_S − γ_0) Σ_{j ≤ k} p_j, where p is the softmax of what a small network
/// says of the condition. The ends are fixed; it begins with even steps.
/// </summary>
public sealed class StepSchedule : nn.Module<Tensor, Tensor>
{
    private readonly Linear? linear_1, linear_2;
    private readonly Parameter? logits;
    private readonly double low, high;

    /// <summary>A schedule of S steps.</summary>
    /// <param name="steps">S.</param>
    /// <param name="low">γ_0 = −log SNR of nearly clean data.</param>
    /// <param name="high">γ_S of nearly pure noise.</param>
    /// <param name="inputs">Length of the condition; 0 for levels that are the same for all.</param>
    /// <param name="hidden">Hidden units.</param>
    /// <exception cref="ArgumentException">The ends are not in order.</exception>
    public StepSchedule(int steps, double low, double high, int inputs = 0, int hidden = 64) : base(nameof(StepSchedule))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(high > low)) throw new ArgumentException($"γ must rise: it is to go from {low} to {high}.", nameof(high));
        (this.low, this.high) = (low, high);
        if (inputs == 0) logits = nn.Parameter(zeros(steps));
        else
        {
            linear_1 = new(inputs, hidden);
            linear_2 = new(hidden, steps);
            linear_2.Zero();
        }
        RegisterComponents();
    }

    /// <summary>The levels, float64 [N, S + 1], rising along each row.</summary>
    /// <param name="condition">[N, C]; without inputs only N counts.</param>
    public override Tensor forward(Tensor condition)
    {
        using var scope = NewDisposeScope();
        var scores = logits is not null ? logits.expand(condition.shape[0], -1) : linear_2!.call(linear_1!.call(condition).silu());
        var share = scores.to(ScalarType.Float64).softmax(1).cumsum(1);
        return (low + (high - low) * nn.functional.pad(share, [1, 0])).MoveToOuterDisposeScope();
    }
}
