using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>PNDM, PLMS and improved PNDM.</summary>
internal static class PndmFamily
{
    public static SchedulerPlan Pndm(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, zeroSnr: false);
        double end = options.Flag("set_alpha_to_one", false) ? table.Process.DataTime : 0;
        string spacing = options.Word("timestep_spacing", "leading", "trailing", "linspace");
        int offset = options.Whole("steps_offset", 0);
        var kind = options.Choice<PredictionKind>("prediction_type", ("epsilon", PredictionKind.Epsilon), ("v_prediction", PredictionKind.V));
        var pndm = new Pndm(options.Flag("skip_prk_steps", false) ? WarmUp.Heun : WarmUp.RungeKutta) { AveragesOutput = true };
        return new(table.Process, kind, Grid, Sampler) { Preconditioning = _ => new PlainPreconditioning(kind) };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            if (pndm.WarmUp == WarmUp.RungeKutta && n < 4) throw new ArgumentException("PNDM with its Runge–Kutta steps needs at least 4 steps; set skip_prk_steps for fewer.");
            double[] times = table.Whole(spacing, n, offset);
            return new([.. times, end], times);
        }

        Sampler Sampler(SchedulerRequest request, SchedulerTimes all)
        {
            int stride = table.Steps / all.Told.Length;
            bool chain = all.Told.Zip(all.Told.Skip(1)).All(p => p.First - stride == p.Second) && all.Told[^1] < stride;
            if (!chain && pndm.WarmUp == WarmUp.RungeKutta)
                throw new ArgumentException($"PNDM's Runge–Kutta steps span {stride} of the table's steps, and {all.Told.Length} times of the {spacing} spacing do not: choose a divisor of {table.Steps}, or set skip_prk_steps.");
            return chain ? pndm : pndm with { Stride = stride };
        }
    }

    public static SchedulerPlan Improved(SchedulerOptions options)
    {
        int steps = options.Whole("num_train_timesteps", 1000);
        double[]? trained = options.Numbers("trained_betas");
        // The angle of the noise, from pure noise (1) to data (0), is the time, and is what the network is told.
        var process = new VariancePreserving(t => Math.Log(Math.Cos(Math.PI / 2 * t)), t => -Math.PI / 2 * Math.Tan(Math.PI / 2 * t),
            l => 2 / Math.PI * Math.Acos(Math.Exp(l)), minTime: 1.0 / steps);
        return new(process, PredictionKind.V, Grid, (_, _) => new Pndm(WarmUp.LowerOrders));

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] sigmas = trained ?? [.. NoiseTable.Spaced(n + 1, 1, 0).Select(u => Math.Pow(Math.Sin(Math.PI / 2 * u), 2))];
            double[] times = [.. sigmas.Select(s => 2 / Math.PI * Math.Asin(s))];
            return new(times, times[..^1]);
        }
    }
}
