using Langevin.Inverse;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>A classical method of restoration, with at most one number to tune.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Method">The picture it makes of a measurement and the number.</param>
/// <param name="Weight">The number when nothing says better.</param>
/// <param name="Weights">The numbers to choose from; none for a method without.</param>
internal sealed record Baseline(string Name, Func<Tensor, double, Tensor> Method, double Weight = 0, params double[] Weights)
{
    /// <summary>A method without a number.</summary>
    public Baseline(string name, Func<Tensor, Tensor> method) : this(name, (y, _) => method(y)) { }

    /// <summary>Total variation. The weight starts from half the noise's standard deviation.</summary>
    public static Baseline TotalVariation(LinearOperator a, double sigma) => new("total variation", (y, w) => Classical.TotalVariation(a, y, w, 400),
        Math.Max(0.01, 0.5 * sigma), [0.001, 0.003, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6]);

    /// <summary>Wiener's deconvolution with a spectrum that falls as nature's does; the number is the pictures' variance.</summary>
    public static Baseline Wiener(Blur blur, double sigma, long height, long width) => new("Wiener", (y, variance) => WrappedTensorDisposeScope(() =>
        Classical.Wiener(blur, y, Math.Max(sigma, 0.005), Classical.NaturalPower(height, width, variance))), 0.25, [0.02, 0.05, 0.1, 0.25, 0.6, 1.5, 4, 10]);

    /// <summary>The answer, [N, C, H, W].</summary>
    public Tensor Restore(Tensor y) => Method(y, Weight);

    /// <summary>The same with the number that serves pictures best whose truth is known, by mean PSNR.</summary>
    public Baseline Tuned(Tensor y, Tensor truth)
    {
        if (Weights.Length == 0) return this;
        double Of(double weight)
        {
            using var scope = NewDisposeScope();
            return Quality.Psnr(Method(y, weight), truth).mean().item<double>();
        }
        return this with { Weight = Weights.MaxBy(Of) };
    }
}
