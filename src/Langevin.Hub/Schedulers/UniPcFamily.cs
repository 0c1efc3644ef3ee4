using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>UniPC and SA-Solver.</summary>
internal static class UniPcFamily
{
    public static SchedulerPlan UniPc(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, bounded: true);
        var levels = new SigmaLevels(options, table, clips: false, wide: true);
        bool toZero = DpmFamily.ToZero(options), lower = options.Flag("lower_order_final", true);
        int order = options.Whole("solver_order", 2);
        if (order < 1) throw options.Unsupported("solver_order", "choose 1 or more");
        var variant = options.Choice<UniPcVariant>("solver_type", ("bh2", UniPcVariant.Bh2), ("bh1", UniPcVariant.Bh1),
            ("midpoint", UniPcVariant.Bh2), ("heun", UniPcVariant.Bh2), ("logrho", UniPcVariant.Bh2));
        int[] uncorrected = [.. (options.Numbers("disable_corrector") ?? []).Select(i => (int)i)];
        if (options.Has("solver_p")) throw options.Unsupported("solver_p", "UniPC uses its own predictor");
        double? terminal = options.Maybe("shift_terminal");
        if (terminal is not null && !levels.IsEvenFlow) throw options.Unsupported("shift_terminal", "it goes with use_flow_sigmas");
        var solver = new UniPc(order, !options.Flag("predict_x0", true), variant) { LowersOrderAtEnd = lower };

        return DpmFamily.Plan(options, levels, Grid, _ => first => solver with { Uncorrected = [.. uncorrected.Select(i => i - first)] }) with
        {
            TakesTimesteps = false,
            TakesSigmas = levels.IsEvenFlow,
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            if (levels.IsEvenFlow) return Flow(request, n);
            var (sigmas, told) = levels.Of(request, n);
            return new([.. sigmas, toZero ? 0 : levels.TakesTimesteps ? table.Sigmas[0] : sigmas[^1]], told);
        }

        SchedulerTimes Flow(SchedulerRequest request, int n)
        {
            double by = levels.ShiftOf(request);
            double[] sigmas = [.. (request.Sigmas ?? [.. NoiseTable.Spaced(n + 1, 1, 1.0 / table.Steps).Take(n)]).Select(s => SigmaLevels.Shift(s, by))];
            if (terminal is { } end)
            {
                double stretch = (1 - sigmas[^1]) / (1 - end);
                sigmas = [.. sigmas.Select(s => 1 - (1 - s) / stretch)];
            }
            // Just short of pure noise, where λ is infinite.
            if (Math.Abs(sigmas[0] - 1) < 1e-6) sigmas[0] -= 1e-6;
            return new([.. sigmas, toZero ? 0 : sigmas[^1]], [.. sigmas.Select(s => Math.Truncate(s * table.Steps))]);
        }
    }

    public static SchedulerPlan SaSolver(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, zeroSnr: false);
        var levels = new SigmaLevels(options, table);
        int predictor = options.Whole("predictor_order", 2), corrector = options.Whole("corrector_order", 2);
        if (predictor is < 1 or > 4) throw options.Unsupported("predictor_order", "choose 1 to 4");
        if (corrector is < 1 or > 4) throw options.Unsupported("corrector_order", "choose 1 to 4");
        bool noise = options.Word("algorithm_type", "data_prediction", "noise_prediction") == "noise_prediction", lower = options.Flag("lower_order_final", true);
        if (options.Has("tau_func")) throw options.Unsupported("tau_func", "give τ with the request");
        return DpmFamily.Plan(options, levels, (r, n) =>
        {
            var (sigmas, told) = levels.Of(r, n);
            return new([.. sigmas, levels.TakesTimesteps ? table.Sigmas[0] : sigmas[^1]], told);
        }, _ => _ => throw new InvalidOperationException()) with
        {
            TakesTimesteps = false,
            Sampler = (r, all) =>
            {
                var heard = new ListedPreconditioning(default, all.Times, all.Told);
                // Stochastic in the middle, as published.
                var tau = r.Tau ?? (told => told is >= 200 and <= 800 ? 1 : 0);
                return new SaSolver(t => tau(heard.Noise(levels.Process, t)), predictor, corrector, noise) { LowersOrderAtEnd = lower };
            },
        };
    }
}
