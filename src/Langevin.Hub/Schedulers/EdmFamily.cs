using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>EDM's process and preconditioning: Euler's method, and consistency models.</summary>
internal static class EdmFamily
{
    public static SchedulerPlan Euler(SchedulerOptions options)
    {
        var process = Process(options);
        options.Whole("num_train_timesteps", 1000);
        double rho = options.Number("rho", 7);
        bool karras = options.Word("sigma_schedule", "karras", "exponential") == "karras", toData = options.Word("final_sigmas_type", "zero", "sigma_min") == "zero";
        var preconditioning = new SignedEdm(options.Number("sigma_data", 0.5), options.Choice<double>("prediction_type", ("epsilon", 1), ("v_prediction", -1)));
        return new(process, PredictionKind.X0, Grid, (request, _) => new ProbabilityFlow(1, Churn: request.Churn))
        {
            Preconditioning = _ => preconditioning,
            InitialStd = _ => Math.Sqrt(process.MaxTime * process.MaxTime + 1),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] sigmas = [.. (karras ? TimeGrid.Karras(process, n, rho) : TimeGrid.Exponential(process, n)).Times.Take(n)];
            return new([.. sigmas, toData ? 0 : sigmas[^1]], [.. sigmas.Select(s => preconditioning.Noise(process, s))]);
        }
    }

    public static SchedulerPlan Consistency(SchedulerOptions options)
    {
        var process = Process(options);
        int steps = options.Whole("num_train_timesteps", 40);
        double noise = options.Number("s_noise", 1);
        bool clips = options.Flag("clip_denoised", true);
        double[] levels = [.. TimeGrid.Karras(process, steps, options.Number("rho", 7)).Times.Take(steps)];
        var preconditioning = new ConsistencyPreconditioning(process.MinTime, options.Number("sigma_data", 0.5));
        return new(process, PredictionKind.X0, Grid, (_, _) => new ConsistencySampling(process.MinTime, noise))
        {
            Preconditioning = _ => preconditioning,
            InitialStd = _ => process.MaxTime,
            Decoration = _ => d => clips ? new Guidance.StaticThresholding(d, 1) : d,
            TakesTimesteps = true,
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            if (n > steps) throw new ArgumentOutOfRangeException(nameof(request), n, $"The model knows {steps} noise levels; sample in at most as many steps.");
            // Levels are numbered from the noisiest down, in the order opposite to that in which they are listed.
            int[] numbers = request.Timesteps is { } listed
                ? [.. listed.Reverse().Select(t => t == Math.Round(t) && t >= 0 && t < steps ? (int)t : throw new ArgumentOutOfRangeException(nameof(request), t, $"Levels are numbered 0 to {steps - 1}."))]
                : [.. Enumerable.Range(0, n).Select(i => i * (steps / n))];
            double[] sigmas = [.. numbers.Select(i => levels[i])];
            return new([.. sigmas, process.MinTime], [.. sigmas.Select(s => preconditioning.Noise(process, s))]);
        }
    }

    /// <summary>Stable Audio's: the stochastic DPM-Solver++ on EDM's process, whose network is told the angle of the noise.</summary>
    public static SchedulerPlan Cosine(SchedulerOptions options)
    {
        double low = options.Number("sigma_min", 0.3), high = options.Number("sigma_max", 500), data = options.Number("sigma_data", 1), rho = options.Number("rho", 7);
        bool exponential = options.Word("sigma_schedule", "exponential", "karras") == "exponential", toZero = DpmFamily.ToZero(options);
        options.Whole("num_train_timesteps", 1000);
        double sign = options.Choice<double>("prediction_type", ("v_prediction", -1), ("epsilon", 1));
        int order = options.Whole("solver_order", 2);
        if (order is not (1 or 2)) throw options.Unsupported("solver_order", "choose 1 or 2");
        var slope = options.Choice<SlopeWeight>("solver_type", ("midpoint", SlopeWeight.Midpoint), ("heun", SlopeWeight.Exact),
            ("logrho", SlopeWeight.Midpoint), ("bh1", SlopeWeight.Midpoint), ("bh2", SlopeWeight.Midpoint));
        bool lower = options.Flag("lower_order_final", true), euler = options.Flag("euler_at_final", false) || toZero;
        var (process, solver) = (new EdmProcess(low, high), new DpmMultistep(order, Eta: 1, Slope: slope));
        return new(process, PredictionKind.X0, Grid, (r, all) => DpmFamily.Ending(solver, lower, euler, all)(r.First))
        {
            Preconditioning = _ => new SignedEdm(data, sign, Angle),
            InitialStd = _ => Math.Sqrt(high * high + 1),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] sigmas = [.. (exponential ? TimeGrid.Exponential(process, n) : TimeGrid.Karras(process, n, rho)).Times.Take(n)];
            return new([.. sigmas, toZero ? 0 : low], [.. sigmas.Select(Angle)]);
        }

        static double Angle(double sigma) => Math.Atan(sigma) / Math.PI * 2;
    }

    private static EdmProcess Process(SchedulerOptions options) => new(options.Number("sigma_min", 0.002), options.Number("sigma_max", 80));
}
