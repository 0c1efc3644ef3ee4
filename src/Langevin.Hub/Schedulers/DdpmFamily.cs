using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>DDPM: ancestral steps on a subset of a table.</summary>
internal static class DdpmFamily
{
    public static SchedulerPlan Ddpm(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, others: ["sigmoid", "laplace"]);
        var (variance, kind) = options.Choice<(ReverseVariance, VarianceKind?)>("variance_type",
            ("fixed_small", (ReverseVariance.Small, null)), ("fixed_small_log", (ReverseVariance.Small, null)),
            ("fixed_large", (ReverseVariance.Large, null)), ("fixed_large_log", (ReverseVariance.Large, null)),
            ("learned", (ReverseVariance.Learned, VarianceKind.Learned)), ("learned_range", (ReverseVariance.Learned, VarianceKind.LearnedRange)));
        int offset = options.Whole("steps_offset", 0);
        string spacing = options.Word("timestep_spacing", "leading", "trailing", "linspace");
        var decoration = Decorations.Clipping(options, keepEpsilon: false);
        return new(table.Process, Decorations.Prediction(options), Grid, (_, _) => new DdpmAncestral(variance))
        {
            Decoration = _ => decoration,
            Variance = kind,
            PlainVariance = kind == VarianceKind.Learned,
            TakesTimesteps = true,
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] times = request.Timesteps is { } listed ? [.. listed] : table.Whole(spacing, n, offset);
            return new([.. times, table.Process.DataTime], times);
        }
    }

    /// <summary>Würstchen's: ancestral steps in the time of a cosine schedule that never quite reaches data or noise.</summary>
    public static SchedulerPlan Wuerstchen(SchedulerOptions options)
    {
        double power = options.Number("scaler", 1), offset = options.Number("s", 0.008), rate = Math.PI / 2 / (1 + offset), start = Math.Cos(rate * offset);
        double low = 0.5 * Math.Log(1e-4), high = 0.5 * Math.Log(0.9999);
        if (!(power > 0)) throw options.Unsupported("scaler", "choose a positive number");
        var process = new VariancePreserving(t => Math.Clamp(Math.Log(Math.Cos(rate * (Warped(t) + offset)) / start), low, high), Slope, minTime: 0);
        // The mean by the score is the posterior's, and the last step ends at it.
        return new(process, PredictionKind.Epsilon, (_, n) =>
        {
            double[] times = NoiseTable.Spaced(n + 1, 1, 0);
            return new(times, times[..^1]);
        }, (_, _) => new AncestralPredictor());

        double Warped(double t) => power > 1 ? 1 - Math.Pow(1 - t, power) : Math.Pow(t, power);

        double Slope(double t) => Math.Log(Math.Cos(rate * (Warped(t) + offset)) / start) is var log && (log <= low || log >= high) ? 0
            : -rate * Math.Tan(rate * (Warped(t) + offset)) * power * Math.Pow(power > 1 ? 1 - t : t, power - 1);
    }

    /// <summary>unCLIP's: ancestral steps on evenly spaced times with both ends.</summary>
    public static SchedulerPlan UnClip(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, schedule: "squaredcos_cap_v2", zeroSnr: false);
        var (variance, kind) = options.Choice<(ReverseVariance, VarianceKind?)>("variance_type",
            ("fixed_small_log", (ReverseVariance.Small, null)), ("learned_range", (ReverseVariance.Learned, VarianceKind.LearnedRange)));
        var decoration = Decorations.Clipping(options, keepEpsilon: false, thresholds: false);
        return new(table.Process, Decorations.Prediction(options), Grid, (_, _) => new DdpmAncestral(variance)) { Decoration = _ => decoration, Variance = kind };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] times = table.Whole("linspace", n, 0);
            return new([.. times, table.Process.DataTime], times);
        }
    }
}
