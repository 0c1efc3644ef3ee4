using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>DPM-Solver and DPM-Solver++, in one step and in several, backwards, and on EDM's process; DEIS, which is one of them.</summary>
internal static class DpmFamily
{
    public static SchedulerPlan Multistep(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, bounded: true);
        var levels = new SigmaLevels(options, table, lu: true);
        bool toZero = ToZero(options);
        var solver = Solver(options, stochastic: true, toZero);
        bool lower = options.Flag("lower_order_final", true), euler = options.Flag("euler_at_final", false) || toZero;
        return Plan(options, levels, (r, n) =>
        {
            var (sigmas, told) = levels.Of(r, n);
            return new([.. sigmas, toZero ? 0 : table.Sigmas[0]], told);
        }, all => Ending(solver, lower, euler, all));
    }

    public static SchedulerPlan Inverse(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, zeroSnr: false);
        var levels = new SigmaLevels(options, table);
        int count = table.Above(options.Number("lambda_min_clipped", double.NegativeInfinity));
        var solver = Solver(options, stochastic: false, toZero: false);
        bool lower = options.Flag("lower_order_final", true), euler = options.Flag("euler_at_final", false);
        string spacing = options.Word("timestep_spacing", "linspace", "leading", "trailing");
        int offset = options.Whole("steps_offset", 0);
        return Plan(options, levels, (r, n) =>
        {
            if (!levels.TakesTimesteps)
            {
                var (sigmas, told) = levels.Of(r, n);
                // Flow levels go down here too, as there.
                return levels.IsFlow ? new([.. sigmas, sigmas[^1]], told) : new([.. sigmas.Reverse(), sigmas[0]], [.. told.Reverse()]);
            }
            // The times come from below, and the last step ends at the noisiest.
            double[] times = spacing switch
            {
                "linspace" => [.. NoiseTable.Spaced(n + 1, 0, count - 1).Take(n).Select(t => Math.Round(t))],
                "leading" => [.. Enumerable.Range(0, n).Select(i => (double)(i * (count / (n + 1)) + offset))],
                _ => [.. table.Multistep(spacing, n, 0, count).Reverse()],
            };
            return new([.. times.Select(table.Linear.Sigma), table.Sigmas[count - 1]], times);
        }, all => Ending(solver, lower, euler, all));
    }

    public static SchedulerPlan SingleStep(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, bounded: true, zeroSnr: false);
        var levels = new SigmaLevels(options, table, spacings: false);
        bool toZero = ToZero(options), lower = options.Flag("lower_order_final", false);
        var many = Solver(options, stochastic: true, toZero);
        var solver = new DpmSingleStep(many.Order, many.PredictsNoise, many.Eta, many.Slope)
        {
            Curvature = many.Eta > 0 ? CurvatureWeight.Slipped : CurvatureWeight.Exact,
        };
        return Plan(options, levels, (r, n) =>
        {
            var (sigmas, told) = levels.Of(r, n);
            return new([.. sigmas, toZero ? 0 : table.Sigmas[0]], told);
        }, all =>
        {
            int n = all.Told.Length;
            int[] places = DpmSingleStep.Groups(n, solver.Order, lower || toZero || n % solver.Order != 0);
            if (toZero) places[^1] = 1;
            return first => solver with { Places = places[first..] };
        });
    }

    public static SchedulerPlan Edm(SchedulerOptions options)
    {
        double low = options.Number("sigma_min", 0.002), high = options.Number("sigma_max", 80), data = options.Number("sigma_data", 0.5), rho = options.Number("rho", 7);
        bool karras = options.Word("sigma_schedule", "karras", "exponential") == "karras", toZero = ToZero(options);
        options.Whole("num_train_timesteps", 1000);
        double sign = options.Choice<double>("prediction_type", ("epsilon", 1), ("v_prediction", -1));
        var process = new EdmProcess(low, high);
        var solver = Solver(options, stochastic: true, toZero);
        if (solver.PredictsNoise) throw options.Unsupported("algorithm_type", "choose dpmsolver++ or sde-dpmsolver++");
        bool lower = options.Flag("lower_order_final", true), euler = options.Flag("euler_at_final", false) || toZero;
        var decoration = Decorations.Thresholding(options);
        return new(process, PredictionKind.X0, Grid, (r, all) => Ending(solver, lower, euler, all)(r.First))
        {
            Decoration = _ => decoration,
            Preconditioning = _ => new SignedEdm(data, sign),
            InitialStd = _ => Math.Sqrt(high * high + 1),
        };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            double[] sigmas = [.. (karras ? TimeGrid.Karras(process, n, rho) : TimeGrid.Exponential(process, n)).Times.Take(n)];
            return new([.. sigmas, toZero ? 0 : low], [.. sigmas.Select(s => Math.Log(s) / 4)]);
        }
    }

    public static SchedulerPlan Deis(SchedulerOptions options)
    {
        var table = NoiseTable.Of(options, zeroSnr: false);
        var levels = new SigmaLevels(options, table, clips: false);
        options.Word("algorithm_type", "deis", "dpmsolver", "dpmsolver++");
        options.Word("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
        var solver = DpmMultistep.Deis(Order(options, 2));
        bool lower = options.Flag("lower_order_final", true);
        return Plan(options, levels, (r, n) =>
        {
            var (sigmas, told) = levels.Of(r, n);
            return new([.. sigmas, levels.TakesTimesteps ? table.Sigmas[0] : sigmas[^1]], told);
        }, all => Ending(solver, lower, euler: false, all));
    }

    /// <summary>A plan on levels: the sampler is a function of all times and of how many steps are left out.</summary>
    internal static SchedulerPlan Plan(SchedulerOptions options, SigmaLevels levels, Func<SchedulerRequest, int, SchedulerTimes> grid,
        Func<SchedulerTimes, Func<int, Sampler>> sampler)
    {
        var decoration = Decorations.Thresholding(options);
        VarianceKind? variance = options.Has("variance_type") ? options.Choice<VarianceKind>("variance_type", ("learned", VarianceKind.Learned), ("learned_range", VarianceKind.LearnedRange)) : null;
        return new(levels.Process, levels.Prediction(), grid, (r, all) => sampler(all)(r.First))
        {
            Decoration = _ => decoration,
            Variance = variance,
            TakesTimesteps = levels.TakesTimesteps,
        };
    }

    internal static int Order(SchedulerOptions options, int fallback)
    {
        int order = options.Whole("solver_order", fallback);
        return order is 1 or 2 or 3 ? order : throw options.Unsupported("solver_order", "choose 1, 2 or 3");
    }

    internal static bool ToZero(SchedulerOptions options) => options.Word("final_sigmas_type", "zero", "sigma_min") == "zero";

    // The last steps are of lower order where there are fewer than 15.
    internal static Func<int, Sampler> Ending(DpmMultistep solver, bool lower, bool euler, SchedulerTimes all) =>
        _ => solver with { LowersOrderAtEnd = lower && all.Told.Length < 15, EndsInEuler = euler };

    private static DpmMultistep Solver(SchedulerOptions options, bool stochastic, bool toZero)
    {
        var (noise, eta) = options.Choice<(bool, double)>("algorithm_type", ("dpmsolver++", (false, 0)), ("dpmsolver", (true, 0)),
            ("sde-dpmsolver++", (false, 1)), ("sde-dpmsolver", (true, 1)), ("deis", (false, 0)));
        var slope = options.Choice<SlopeWeight>("solver_type", ("midpoint", SlopeWeight.Midpoint), ("heun", SlopeWeight.Exact),
            ("logrho", SlopeWeight.Midpoint), ("bh1", SlopeWeight.Midpoint), ("bh2", SlopeWeight.Midpoint));
        if (eta > 0 && !stochastic) throw options.Unsupported("algorithm_type", "an inversion is deterministic");
        if (noise && toZero) throw options.Unsupported("final_sigmas_type", "this algorithm_type ends at \"sigma_min\"");
        int order = Order(options, 2);
        if (noise && eta > 0 && order == 3) throw options.Unsupported("solver_order", "sde-dpmsolver has the orders 1 and 2");
        return new(order, noise, eta, slope, eta > 0 ? CurvatureWeight.Slipped : CurvatureWeight.Published);
    }
}

/// <summary>EDM's preconditioning with the sign that a v-predicting network has, told log σ/4 or something else.</summary>
internal sealed record SignedEdm(double SigmaData, double Sign = 1, Func<double, double>? Told = null) : Preconditioning
{
    private readonly EdmPreconditioning plain = new(SigmaData);

    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.X0;

    /// <inheritdoc/>
    public override bool HasSkip => true;

    /// <inheritdoc/>
    public override double Skip(GaussianProcess process, double t) => plain.Skip(process, t);

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t) => Sign * plain.Out(process, t);

    /// <inheritdoc/>
    public override double In(GaussianProcess process, double t) => plain.In(process, t);

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Told?.Invoke(t) ?? plain.Noise(process, t);
}
