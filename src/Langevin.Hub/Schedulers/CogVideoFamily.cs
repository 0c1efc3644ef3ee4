using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>CogVideoX's: DDIM and the stochastic DPM-Solver++ on a table whose signal-to-noise ratio is shifted.</summary>
internal static class CogVideoFamily
{
    public static SchedulerPlan Ddim(SchedulerOptions options)
    {
        var (_, plan) = Shifted(options);
        return plan with { Sampler = (r, all) => plan.Sampler(r with { Eta = 0 }, all) };
    }

    public static SchedulerPlan Dpm(SchedulerOptions options)
    {
        var (table, plan) = Shifted(options);
        var solver = new DpmMultistep(2, Eta: 1) { EndsInEuler = true };
        return plan with { Sampler = (_, all) => DdimFamily.OnStride(solver, table, all) };
    }

    // Neither clips nor takes η, whatever it is told.
    private static (NoiseTable Table, SchedulerPlan Plan) Shifted(SchedulerOptions options)
    {
        var table = NoiseTable.Shifted(options, options.Number("snr_shift_scale", 3));
        var plan = DdimFamily.Ddim(options, table, clips: true);
        options.Number("sample_max_value", 1);
        return (table, plan with { Decoration = _ => d => d });
    }
}
