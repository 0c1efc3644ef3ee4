using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// The probability-flow ODE by fixed steps of order 1 (Euler) or 2 (Heun and its family), with EDM's noise churn as an option
/// (Karras et al. 2022, algorithms 1 to 3). In its default coordinates order 1 is DDIM and order 2 EDM's sampler, on any process;
/// in <see cref="FlowCoordinates.Time"/> it is the ablation sampler, and plain Euler or Heun for flow matching.
/// </summary>
/// <param name="Order">1 or 2; the step to clean data is always of order 1.</param>
/// <param name="Alpha">Where the second slope is taken, as a share of the step: 1 is Heun, 1/2 midpoint, 2/3 Ralston.</param>
/// <param name="Churn">Noise added before each step; none makes the sampler deterministic.</param>
/// <param name="Coordinates">What is integrated against what; <see cref="FlowCoordinates.Ratio"/> if not given.</param>
public sealed record ProbabilityFlow(int Order = 2, double Alpha = 1, Churn? Churn = null, FlowCoordinates? Coordinates = null) : Sampler
{
    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order is not (1 or 2)) throw new ArgumentOutOfRangeException(nameof(Order), Order, "The order is 1 (Euler) or 2 (Heun).");
        if (!(Alpha is > 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(Alpha), Alpha, "The second slope lies at a share of the step in (0, 1].");
        var (process, path) = (run.Process, Coordinates ?? FlowCoordinates.Ratio);
        return (x, t, s) =>
        {
            if (Churn is { } churn) (x, t) = churn.Raise(run, x, t);
            var first = run.Denoise(x, t);
            // Out of pure noise σ/α is infinite; the limit of the Euler step there is DDIM's.
            if (path == FlowCoordinates.Ratio && process.Alpha(t) == 0) return process.Alpha(s) * first.X0 + process.Sigma(s) * first.Epsilon;
            double u = path.Of(process, t), h = path.Of(process, s) - u;
            Tensor y = x / path.Scale(process, t), slope = path.Slope(first);
            if (Order == 1 || process.Sigma(s) == 0) return path.Scale(process, s) * (y + h * slope);
            double middle = Alpha == 1 ? s : path.TimeOf(process, u + Alpha * h);
            var second = path.Slope(run.Denoise(path.Scale(process, middle) * (y + Alpha * h * slope), middle));
            return path.Scale(process, s) * (y + h * ((1 - 0.5 / Alpha) * slope + 0.5 / Alpha * second));
        };
    }
}

/// <summary>
/// Noise added before a step (Karras et al. 2022, algorithm 2): the noise-to-signal ratio rises by
/// γ = min(<paramref name="Amount"/>/steps, √2 − 1), where it lies between <paramref name="Min"/> and <paramref name="Max"/>.
/// </summary>
/// <param name="Amount">S_churn ≥ 0, spread over the steps.</param>
/// <param name="Min">S_min: below this ratio σ/α nothing is added.</param>
/// <param name="Max">S_max: above this ratio nothing is added.</param>
/// <param name="Noise">S_noise: standard deviation of the added noise, about 1.</param>
public sealed record Churn(double Amount, double Min = 0, double Max = double.PositiveInfinity, double Noise = 1)
{
    /// <summary>x and its time after the noise; both unchanged where none is due.</summary>
    public (Tensor X, double T) Raise(SamplingRun run, Tensor x, double t)
    {
        var process = run.Process;
        double ratio = process.Sigma(t) / process.Alpha(t), gamma = Math.Min(Amount / run.Grid.Steps, Math.Sqrt(2) - 1);
        if (!(gamma > 0) || ratio < Min || ratio > Max || double.IsInfinity(ratio)) return (x, t);
        double raised = process.TimeOfLambda(process.Lambda(t) - Math.Log(1 + gamma));
        if (raised <= t) return (x, t);
        var (scale, variance) = process.Transition(t, raised);
        return (scale * x + Noise * Math.Sqrt(variance) * run.Noise(x), raised);
    }
}
