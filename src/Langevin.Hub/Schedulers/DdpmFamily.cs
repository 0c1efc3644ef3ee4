using Langevin.Denoisers;
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
