using Langevin.Denoisers;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>Few-step samplers of distilled models: LCM and TCD; and CogVideoX's DDIM on a shifted table.</summary>
internal static class ConsistencyFamily
{
    public static SchedulerPlan Lcm(SchedulerOptions options)
    {
        var (table, times) = Distilled(options);
        var decoration = Decorations.Clipping(options, keepEpsilon: false, clips: false);
        var sampler = new LatentConsistency(TimeScale: options.Number("timestep_scaling", 10));
        // The last step ends in what is taken for clean data.
        return new(table.Process, Decorations.Prediction(options), (r, n) => Ending(times(r, n), table.Process.DataTime), (_, _) => sampler)
        {
            Decoration = _ => decoration,
            TakesTimesteps = true,
        };
    }

    public static SchedulerPlan Tcd(SchedulerOptions options)
    {
        var (table, times) = Distilled(options);
        // These are read and do nothing there.
        Decorations.Clipping(options, keepEpsilon: false, clips: false);
        options.Number("timestep_scaling", 10);
        return new(table.Process, Decorations.Prediction(options), (r, n) => Ending(times(r, n), 0), (r, _) => new TrajectoryConsistency(r.Eta ?? 0.3)) { TakesTimesteps = true };
    }

    public static SchedulerPlan CogVideoX(SchedulerOptions options)
    {
        double shift = options.Number("snr_shift_scale", 3);
        var table = NoiseTable.Shifted(options, shift);
        var plan = DdimFamily.Ddim(options, table, clips: true);
        options.Number("sample_max_value", 1);
        // It neither clips nor draws noise, whatever it is told.
        return plan with { Decoration = _ => d => d, Sampler = (r, all) => plan.Sampler(r with { Eta = 0 }, all) };
    }

    private static SchedulerTimes Ending(double[] times, double end) => new([.. times, end], times);

    private static (NoiseTable Table, Func<SchedulerRequest, int, double[]> Times) Distilled(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, start: 0.00085, end: 0.012, schedule: "scaled_linear");
        int trained = options.Whole("original_inference_steps", 50);
        // Neither is used where every step is one that the model was distilled at.
        options.Word("timestep_spacing", "leading", "trailing", "linspace");
        options.Whole("steps_offset", 0);
        options.Flag("set_alpha_to_one", true);
        if (trained < 1 || trained > table.Steps) throw options.Unsupported("original_inference_steps", $"choose 1 to {table.Steps}");
        int stride = table.Steps / trained;
        return (table, (request, n) => request.Timesteps is { } listed
            ? [.. listed]
            : n <= trained
            ? [.. Enumerable.Range(0, n).Select(i => (double)((trained - (int)Math.Floor(i * ((double)trained / n))) * stride - 1))]
            : throw new ArgumentException($"The model was distilled at {trained} steps; sample in at most as many."));
    }
}
