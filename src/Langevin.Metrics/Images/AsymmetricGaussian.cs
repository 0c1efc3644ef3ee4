using static TorchSharp.torch;

namespace Langevin.Metrics.Images;

/// <summary>
/// Asymmetric generalised Gaussians, density ∝ exp(−(−x/β₁)^α) below 0 and exp(−(x/β₂)^α) above, fitted by moments
/// (Lasmar, Stitou and Berthoumieu 2009): the ratio (E|x|)²/E x² gives α, the root mean squares of either side its β.
/// </summary>
internal static class AsymmetricGaussian
{
    // The grid of shapes that the published NIQE looks through: 0.2, 0.201, ..., 10.
    private const double Least = 0.2, Step = 0.001;
    private const int Shapes = 9801;

    /// <summary>α, β of the left and β of the right side of each row, [P]; NaN where a side has no values.</summary>
    /// <param name="rows">float64 [P, n].</param>
    public static (Tensor Shape, Tensor Left, Tensor Right) Fit(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var square = rows.square();
        Tensor Side(Tensor inside) => ((square * inside.to(float64)).sum(1) / inside.sum(1)).sqrt();
        var (left, right) = (Side(rows.lt(0)), Side(rows.gt(0)));
        var skew = left / right;
        var ratio = rows.abs().mean([1]).square() / square.mean([1]);
        var target = ratio * (skew.pow(3) + 1) * (skew + 1) / (skew.square() + 1).square();
        var shape = Nearest(target);
        var scale = ((1 / shape).lgamma() / 2 - (3 / shape).lgamma() / 2).exp();
        return (shape.MoveToOuterDisposeScope(), (left * scale).MoveToOuterDisposeScope(), (right * scale).MoveToOuterDisposeScope());
    }

    /// <summary>Mean (β₂ − β₁) Γ(2/α)/Γ(1/α) of each.</summary>
    public static Tensor Mean(Tensor shape, Tensor left, Tensor right) =>
        WrappedTensorDisposeScope(() => (right - left) * ((2 / shape).lgamma() - (1 / shape).lgamma()).exp());

    /// <summary>The shape on the grid whose Γ(2/α)² / (Γ(1/α) Γ(3/α)), which grows with α, is nearest.</summary>
    private static Tensor Nearest(Tensor target)
    {
        var shapes = arange(Shapes, float64, target.device) * Step + Least;
        var ratios = (2 * (2 / shapes).lgamma() - (1 / shapes).lgamma() - (3 / shapes).lgamma()).exp();
        var above = searchsorted(ratios, target).clamp(1, Shapes - 1);
        var (low, high) = (ratios[above - 1], ratios[above]);
        return shapes[where((target - low).le(high - target), above - 1, above)];
    }
}
