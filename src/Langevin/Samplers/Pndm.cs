using Langevin.Denoisers;
using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>How a linear multistep method gets its first values.</summary>
public enum WarmUp
{
    /// <summary>Lower orders first: improved PNDM (Zhang &amp; Chen 2023, "iPNDM").</summary>
    LowerOrders,

    /// <summary>One Heun step of two evaluations, then lower orders: PLMS of latent diffusion.</summary>
    Heun,

    /// <summary>Three Runge–Kutta steps of four evaluations each: PNDM as published.</summary>
    RungeKutta,
}

/// <summary>
/// PNDM (Liu et al. 2022): Adams–Bashforth of order 4 on ε̂ over even steps, each result transferred from t to s as DDIM does.
/// </summary>
/// <param name="WarmUp">How it begins.</param>
public sealed record Pndm(WarmUp WarmUp = WarmUp.Heun) : Sampler
{
    // Adams–Bashforth, newest first.
    private static readonly double[][] Weights = [[1], [1.5, -0.5], [23 / 12.0, -16 / 12.0, 5 / 12.0], [55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0]];

    /// <summary>
    /// Whether the network's own output is averaged and read as ε at the step's start, as published code does; it matters to v-prediction alone.
    /// </summary>
    public bool AveragesOutput { get; init; }

    /// <summary>
    /// Number of a table's steps that every step spans, wherever the grid's times lie, as in <see cref="FixedStride"/>; null where steps
    /// go from time to time.
    /// </summary>
    public int? Stride { get; init; }

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Stride is not null && WarmUp == WarmUp.RungeKutta) throw new ArgumentException("The Runge–Kutta steps go from time to time; a fixed stride does not go with them.");
        var past = new SolverHistory(run, 4);
        return (x, t, s) =>
        {
            double end = Stride is { } stride && t >= stride ? t - stride : s;
            var first = run.Denoise(x, t);
            var slope = Of(first);
            past.Add(run.Index, slope);
            if (WarmUp == WarmUp.Heun && run.Index == 0)
            {
                var second = Of(run.Denoise(Move(first, t, slope, end), s));
                return Move(first, Stride is null ? t : s + Stride.Value, 0.5 * (slope + second), s);
            }
            if (WarmUp == WarmUp.RungeKutta && run.Index < 3)
            {
                // Whole steps of a table: the middle is off by half a step where there is none.
                double half = run.Process.StepCount is null ? 0.5 * (t - s) : Math.Floor(0.5 * (t - s));
                var second = Of(run.Denoise(Move(first, t, slope, t - half), s + half));
                var third = Of(run.Denoise(Move(first, t, second, s + half), s + half));
                var fourth = Of(run.Denoise(Move(first, t, third, s), s));
                return Move(first, t, (slope + 2 * second + 2 * third + fourth) / 6, s);
            }
            var weights = Weights[past.Count - 1];
            var mean = weights[0] * slope;
            for (int i = 1; i < weights.Length; i++) mean += weights[i] * past[i].Value;
            return Move(first, t, mean, end);
        };
    }

    private Tensor Of(Prediction said) => AveragesOutput ? said.Value : said.Epsilon;

    // From the prediction's x, taken to lie at t, to s by a slope.
    private Tensor Move(Prediction from, double t, Tensor slope, double s)
    {
        var process = from.Process;
        var epsilon = AveragesOutput ? new Prediction(from.Kind, slope, from.X, process, t).Epsilon : slope;
        // Out of pure noise, x − σ ε̂ is zero and so is α.
        return process.Alpha(s) / Math.Max(process.Alpha(t), 1e-8) * (from.X - process.Sigma(t) * epsilon) + process.Sigma(s) * epsilon;
    }
}
