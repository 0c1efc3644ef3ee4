using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Inverse;

/// <summary>Restoration without a model, to compare with: what any method must beat.</summary>
public static class Classical
{
    /// <summary>Bicubic up-sampling by a whole factor (Keys 1981, a = −1/2).</summary>
    /// <param name="y">[N, C, h, w].</param>
    /// <param name="factor">How many times larger.</param>
    public static Tensor Bicubic(Tensor y, long factor) =>
        nn.functional.interpolate(y, [factor * y.shape[2], factor * y.shape[3]], mode: InterpolationMode.Bicubic, align_corners: false, antialias: true);

    /// <summary>
    /// Wiener's deconvolution: each frequency is multiplied by conj(h) P/(|h|² P + σ_y²), the best linear estimate of a stationary picture of
    /// mean 0 and power spectrum P.
    /// </summary>
    /// <param name="blur">The blur.</param>
    /// <param name="y">The blurred picture.</param>
    /// <param name="sigma">σ_y ≥ 0.</param>
    /// <param name="power">P, [H, W], frequency 0 first, the variance of a coefficient of the orthonormal transform; 1 when null, that of white pictures.</param>
    public static Tensor Wiener(Blur blur, Tensor y, double sigma, Tensor? power = null)
    {
        using var scope = NewDisposeScope();
        var s = blur.SingularValues(y);
        var p = power?.to(s.dtype).to(s.device) ?? ones_like(s);
        var gain = s * p / (s * s * p + sigma * sigma).clamp_min(1e-30);
        return blur.V(gain * blur.Ut(y)).MoveToOuterDisposeScope();
    }

    /// <summary>The power spectrum of pictures as nature makes them, falling as 1/f² from that of the lowest frequency, of a variance per pixel: [H, W] for <see cref="Wiener"/>.</summary>
    public static Tensor NaturalPower(long height, long width, double variance = 0.25)
    {
        using var scope = NewDisposeScope();
        var f2 = fft.fftfreq(height, dtype: ScalarType.Float64).square().unsqueeze(1) + fft.fftfreq(width, dtype: ScalarType.Float64).square();
        var power = 1 / f2.clamp_min(Math.Pow(1.0 / Math.Max(height, width), 2));
        return (power * (variance / power.mean())).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Total variation: the minimum of ½‖y − A x‖² + w TV(x), TV the sum of the gradients' lengths in each channel, by the primal–dual algorithm of
    /// Chambolle and Pock 2011 (algorithm 1).
    /// </summary>
    /// <param name="a">A; <see cref="Inpainting"/> of ones denoises.</param>
    /// <param name="y">The measurement.</param>
    /// <param name="weight">w ≥ 0.</param>
    /// <param name="iterations">How many.</param>
    public static Tensor TotalVariation(LinearOperator a, Tensor y, double weight, int iterations = 200)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(weight);
        using var scope = NewDisposeScope();
        var x = a.Adjoint(y);
        // ‖(A, ∇)‖² ≤ ‖A‖² + 8.
        double step = 0.99 / Math.Sqrt(SquaredNorm(a, x) + 8);
        Tensor extrapolated = x, data = zeros_like(y), across = zeros_like(x), down = zeros_like(x);
        for (int i = 0; i < iterations; i++)
        {
            using var inner = NewDisposeScope();
            data = (data + step * (a.Forward(extrapolated) - y)) / (1 + step);
            var (dx, dy) = Difference(extrapolated);
            (across, down) = (across + step * dx, down + step * dy);
            var length = weight > 0 ? ((across.square() + down.square()).sqrt() / weight).clamp_min(1) : ones_like(across) * double.PositiveInfinity;
            (across, down) = (across / length, down / length);
            var next = x - step * (a.Adjoint(data) + MinusDivergence(across, down));
            extrapolated = 2 * next - x;
            x = next;
            foreach (var kept in (Tensor[])[x, extrapolated, data, across, down]) kept.MoveToOuterDisposeScope();
        }
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>What <see cref="TotalVariation"/> makes small, for each picture: [N].</summary>
    public static Tensor TotalVariationObjective(LinearOperator a, Tensor y, double weight, Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var (dx, dy) = Difference(x);
        return 0.5 * (y - a.Forward(x)).flatten(1).square().sum(1) + weight * (dx.square() + dy.square()).sqrt().flatten(1).sum(1);
    });

    /// <summary>‖A‖², by 30 power iterations from x, with a tenth to spare.</summary>
    private static double SquaredNorm(LinearOperator a, Tensor x)
    {
        using var scope = NewDisposeScope();
        var v = x + 1e-3 * x.abs().max() + 1e-6;
        for (int i = 0; i < 30; i++) v = a.Adjoint(a.Forward(v / v.norm()));
        return 1.1 * v.norm().to(ScalarType.Float64).item<double>();
    }

    // Differences to the next column and row, 0 at the last.
    private static (Tensor Across, Tensor Down) Difference(Tensor x)
    {
        long h = x.shape[2], w = x.shape[3];
        return (nn.functional.pad(x.narrow(3, 1, w - 1) - x.narrow(3, 0, w - 1), [0, 1]), nn.functional.pad(x.narrow(2, 1, h - 1) - x.narrow(2, 0, h - 1), [0, 0, 0, 1]));
    }

    // The transpose of the differences.
    private static Tensor MinusDivergence(Tensor across, Tensor down)
    {
        long h = across.shape[2], w = across.shape[3];
        Tensor p = across.narrow(3, 0, w - 1), q = down.narrow(2, 0, h - 1);
        return nn.functional.pad(p, [1, 0]) - nn.functional.pad(p, [0, 1]) + nn.functional.pad(q, [0, 0, 1, 0]) - nn.functional.pad(q, [0, 0, 0, 1]);
    }
}
