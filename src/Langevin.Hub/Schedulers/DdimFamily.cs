using Langevin.Denoisers;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>DDIM and its inversion: whole steps of a table, a fixed stride apart.</summary>
internal static class DdimFamily
{
    public static SchedulerPlan Ddim(SchedulerOptions options) => Ddim(options, NoiseTable.Of(options), clips: true);

    /// <summary>DDIM on a table.</summary>
    internal static SchedulerPlan Ddim(SchedulerOptions options, NoiseTable table, bool clips, string spacing = "leading")
    {
        double end = End(options, table);
        int offset = options.Whole("steps_offset", 0);
        spacing = options.Word("timestep_spacing", [.. new[] { "leading", "trailing", "linspace" }.OrderBy(s => s != spacing)]);
        var (kept, rederived) = (Decorations.Clipping(options, keepEpsilon: true, clips), Decorations.Clipping(options, keepEpsilon: false, clips));
        return new(table.Process, Decorations.Prediction(options), Grid, Sampler) { Decoration = r => r.RederiveEpsilon ? rederived : kept };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] times = table.Whole(spacing, n, offset);
            return new([.. times, end], times);
        }

        Sampler Sampler(SchedulerRequest request, SchedulerTimes all) => OnStride(new Ddim(request.Eta ?? 0), table, all);
    }

    /// <summary>A sampler whose steps span as many of the table's as fit, wherever the times lie.</summary>
    internal static Sampler OnStride(Sampler sampler, NoiseTable table, SchedulerTimes all)
    {
        int stride = table.Steps / all.Told.Length;
        return IsChain(all.Times, stride) ? sampler : new FixedStride(sampler, stride, all.Times[^1]);
    }

    public static SchedulerPlan Inverse(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options);
        // A hair below step 0, where the network is told another number than at step 0 itself.
        double end = Math.Max(table.Process.DataTime, End(options, table) - 1e-12);
        int offset = options.Whole("steps_offset", 0);
        string spacing = options.Word("timestep_spacing", "leading", "trailing");
        var kind = Decorations.Prediction(options);
        var decoration = Decorations.Clipping(options, keepEpsilon: true, thresholds: false);
        return new(table.Process, kind, Grid, Sampler)
        {
            Decoration = _ => decoration,
            // A step goes up to the listed time and asks about what lies a stride below it.
            Preconditioning = all => new ListedPreconditioning(kind, all.Told.Select(t => Below(t, Stride(all))), all.Told),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] times = [.. table.Whole(spacing, n, offset).Reverse()];
            return new([Below(times[0], table.Steps / n), .. times], times);
        }

        Sampler Sampler(SchedulerRequest request, SchedulerTimes all) =>
            IsChain([.. all.Times.Reverse()], Stride(all)) ? new Ddim() : new FixedStride(new Ddim(), Stride(all), end, Upwards: true);

        int Stride(SchedulerTimes all) => table.Steps / all.Told.Length;
        double Below(double t, int stride) => t < stride ? end : t - stride;
    }

    // The last step ends in clean data or at the table's first level.
    private static double End(SchedulerOptions options, NoiseTable table) => options.Flag("set_alpha_to_one", true) ? table.Process.DataTime : 0;

    private static bool IsChain(double[] times, int stride) =>
        times.Zip(times.Skip(1)).SkipLast(1).All(p => p.First - stride == p.Second) && times[^2] < stride;
}
