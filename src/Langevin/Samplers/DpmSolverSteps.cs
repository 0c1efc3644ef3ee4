using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Single steps of DPM-Solver (Lu et al. 2022a, algorithms 1 and 2 and equation 3.7) of orders 1 to 3, from one noise-to-signal ratio
/// r = σ/α to another, in y = x/α: exponential integrators of dy/dλ = −r ε̂, λ = −log r.
/// </summary>
/// <param name="run">Asks the denoiser.</param>
/// <param name="y">x/α where the step begins.</param>
/// <param name="epsilon">ε̂ there.</param>
/// <param name="from">r there.</param>
/// <param name="to">r where the step ends.</param>
internal sealed class DpmSolverSteps(SamplingRun run, Tensor y, Tensor epsilon, double from, double to)
{
    private readonly Dictionary<double, Tensor> slopes = [];
    private readonly double h = Math.Log(from / to);

    public Tensor Of(int order) => order switch { 1 => First(to), 2 => Second(0.5), _ => Third() };

    public Tensor First(double end) => y - (from - end) * epsilon;

    /// <summary>Order 2, with its inner point at a share r1 of the step in λ.</summary>
    public Tensor Second(double r1) => First(to) - (from - to) / (2 * r1) * Bend(r1, First);

    public Tensor Third() => First(to) - to * 1.5 * Curve(h) * Bend(2.0 / 3, end => First(end) - end * 2 * Curve(2.0 / 3 * h) * Bend(1.0 / 3, First));

    // (e^h − 1)/h − 1.
    private static double Curve(double h) => double.ExpM1(h) / h - 1;

    // How far ε̂ at the inner point, which is reached by a step, is from where it began.
    private Tensor Bend(double share, Func<double, Tensor> step)
    {
        if (!slopes.TryGetValue(share, out var slope))
        {
            double ratio = from * Math.Exp(-share * h), t = FlowCoordinates.Ratio.TimeOf(run.Process, ratio);
            slopes[share] = slope = run.Denoise(run.Process.Alpha(t) * step(ratio), t).Epsilon;
        }
        return slope - epsilon;
    }

    /// <summary>
    /// What is kept of the noise at s, and what is drawn afresh, both as ratios; the ODE's part of the step never goes beyond
    /// <paramref name="end"/>.
    /// </summary>
    public static (double Down, double Up) Split(GaussianProcess process, double t, double s, double eta, double end)
    {
        double to = FlowCoordinates.Ratio.Of(process, s), down = eta > 0 ? Math.Max(end, Ddim.Split(process, t, s, eta).Kept / process.Alpha(s)) : to;
        return (down, Math.Sqrt(Math.Max(0, (to - down) * (to + down))));
    }
}

/// <summary>Single steps of DPM-Solver++ (Lu et al. 2022b, section 4.1) of orders 1 to 3 from time t to s: the same in x̂_0.</summary>
/// <param name="run">Asks the denoiser.</param>
/// <param name="x">The state at t.</param>
/// <param name="x0">x̂_0 there.</param>
/// <param name="t">Where the step begins.</param>
/// <param name="s">Where it ends.</param>
internal sealed class DpmPlusPlusSteps(SamplingRun run, Tensor x, Tensor x0, double t, double s)
{
    private readonly Dictionary<double, Tensor> bends = [];

    public Tensor Of(int order) => order switch { 1 => First(s), 2 => Second(0.5), _ => Third() };

    public Tensor First(double end)
    {
        var step = new ExponentialStep(run.Process, t, end);
        return step.Scale * x + step.Gain0 * x0;
    }

    /// <summary>Order 2, with its inner point at a share r1 of the step in λ.</summary>
    public Tensor Second(double r1) => First(s) + new ExponentialStep(run.Process, t, s).Gain0 / (2 * r1) * Bend(r1, First);

    public Tensor Third() => Curved(s, 2.0 / 3, inner => Curved(inner, 1.0 / 3, First, of: 2.0 / 3), of: 1);

    // The first order's step to a time, at a share `of` of the whole in λ, and the slope that x̂_0 has by an inner point.
    private Tensor Curved(double end, double share, Func<double, Tensor> inner, double of)
    {
        var step = new ExponentialStep(run.Process, t, end);
        return First(end) + step.Gain(1) * (of / (share * step.H)) * Bend(share, inner);
    }

    // How far x̂_0 at the inner point, which is reached by a step, is from where it began.
    private Tensor Bend(double share, Func<double, Tensor> step)
    {
        if (bends.TryGetValue(share, out var bend)) return bend;
        double start = run.Process.Lambda(t), inner = run.Process.TimeOfLambda(start + share * (run.Process.Lambda(s) - start));
        return bends[share] = run.Denoise(step(inner), inner).X0 - x0;
    }
}
