using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>
/// The schedulers that came from k-diffusion: steps in σ/α, with real-valued times of a β table for the network. The process has unit
/// variance, which is what the network sees; its time is σ/α.
/// </summary>
internal static class KDiffusionFamily
{
    private static readonly GaussianProcess Process = new EdmProcess().UnitVariance();

    public static SchedulerPlan Euler(SchedulerOptions options)
    {
        var levels = new Levels(options, NoiseTable.Of(options, bounded: true))
        {
            Low = options.Maybe("sigma_min"),
            High = options.Maybe("sigma_max"),
            EndsAtFirst = options.Word("final_sigmas_type", "zero", "sigma_min") == "sigma_min",
            LogLinear = options.Word("interpolation_type", "linear", "log_linear") == "log_linear",
            Continuous = options.Word("timestep_type", "discrete", "continuous") == "continuous" && Decorations.Prediction(options) == PredictionKind.V,
        };
        return Plan(options, levels, (request, _) => new ProbabilityFlow(1, Churn: request.Churn)) with { TakesTimesteps = !levels.Spreads && !levels.Continuous, TakesSigmas = true };
    }

    public static SchedulerPlan EulerAncestral(SchedulerOptions options) =>
        Plan(options, new Levels(options, NoiseTable.Of(options, bounded: true), spreads: false), (_, _) => new Ddim(1));

    public static SchedulerPlan Heun(SchedulerOptions options)
    {
        var levels = new Levels(options, Table(options));
        var decoration = Decorations.Clipping(options, keepEpsilon: false, clips: false, thresholds: false);
        return Plan(options, levels, (request, _) => new ProbabilityFlow(2, Churn: request.Churn)) with { Decoration = _ => decoration, TakesTimesteps = !levels.Spreads };
    }

    public static SchedulerPlan Dpm2(SchedulerOptions options) =>
        Plan(options, new Levels(options, Table(options)) { Rounds = true }, (_, _) => new Dpm2(), (t, s) => Samplers.Dpm2.Middle(Process, t, s));

    public static SchedulerPlan Dpm2Ancestral(SchedulerOptions options) =>
        Plan(options, new Levels(options, Table(options)) { Rounds = true }, (_, _) => new Dpm2(1), (t, s) => Samplers.Dpm2.Middle(Process, t, s, 1));

    public static SchedulerPlan Lms(SchedulerOptions options) =>
        Plan(options, new Levels(options, NoiseTable.Of(options, zeroSnr: false)), (request, all) => new LinearMultistep(request.Order ?? 4) { Before = all.Times[..request.First] });

    public static SchedulerPlan DpmSde(SchedulerOptions options)
    {
        options.Maybe("noise_sampler_seed"); // ours is the run's
        return Plan(options, new Levels(options, Table(options)), (request, _) => new DpmPlusPlusSde(NoiseStd: request.NoiseStd ?? 1), (t, s) => Math.Sqrt(t * s));
    }

    private static NoiseTable Table(SchedulerOptions options) => NoiseTable.Of(options, start: 0.00085, end: 0.012, zeroSnr: false);

    // The network hears of a level between two steps what the table says of it, by log σ.
    private static SchedulerPlan Plan(SchedulerOptions options, Levels levels, Func<SchedulerRequest, SchedulerTimes, Sampler> sampler, Func<double, double, double>? between = null)
    {
        var kind = Decorations.Prediction(options);
        return new(Process, kind, levels.Choose, sampler)
        {
            InitialStd = all => levels.FromUnitVariance ? 1 : Process.Sigma(all.Times[0]),
            Preconditioning = between is null ? null : all =>
            {
                double[] middles = [.. all.Times.Zip(all.Times.Skip(1)).Where(p => p.Second > 0).Select(p => between(p.First, p.Second))];
                return new ListedPreconditioning(kind, [.. all.Times[..^1], .. middles], [.. all.Told, .. middles.Select(levels.Table.TimeOfSigma)]);
            },
        };
    }

    /// <summary>Noise levels of a table by evenly spaced times, or spread between the first and the last of them in some other way.</summary>
    private sealed class Levels
    {
        private readonly string spacing;
        private readonly int offset;
        private readonly bool karras;
        private readonly Func<EdmProcess, int, TimeGrid>? spread;

        public Levels(SchedulerOptions options, NoiseTable table, bool spreads = true)
        {
            Table = table;
            spacing = options.Word("timestep_spacing", "linspace", "leading", "trailing");
            offset = options.Whole("steps_offset", 0);
            if (!spreads) return;
            spread = Decorations.Spread(options);
            karras = options.Flag("use_karras_sigmas", false);
        }

        public NoiseTable Table { get; }

        /// <summary>The ends of a spread, where they are not those of the even times.</summary>
        public double? Low { get; init; }
        public double? High { get; init; }

        /// <summary>Whether the last step ends at the table's first level.</summary>
        public bool EndsAtFirst { get; init; }

        /// <summary>Whether log σ is even over the whole table.</summary>
        public bool LogLinear { get; init; }

        /// <summary>Whether the network is told log σ / 4.</summary>
        public bool Continuous { get; init; }

        /// <summary>Whether Karras' levels are told by the nearest step.</summary>
        public bool Rounds { get; init; }

        public bool Spreads => spread is not null;

        /// <summary>Whether the start is drawn with the variance of data and noise together.</summary>
        public bool FromUnitVariance => spacing == "leading";

        public SchedulerTimes Choose(SchedulerRequest request, int n)
        {
            if (request.Sigmas is { } given) return new([.. given], [.. given.SkipLast(1).Select(Table.TimeOfSigma)]);
            double[] times = request.Timesteps is { } listed ? [.. listed] : Table.Between(spacing, n, offset);
            double[] sigmas = [.. times.Select(Table.Linear.Sigma)];
            double last = EndsAtFirst ? Table.Sigmas[0] : 0;
            if (LogLinear)
            {
                sigmas = [.. TimeGrid.Exponential(new EdmProcess(Table.Sigmas[0], Table.Sigmas[^1]), n + 1).Times.Take(n + 1)];
                (sigmas, last) = (sigmas[..n], sigmas[n]);
            }
            if (spread is not null)
            {
                sigmas = [.. spread(new EdmProcess(Low ?? sigmas[^1], High ?? sigmas[0]), n).Times.Take(n)];
                times = [.. sigmas.Select(s => Rounds && karras ? Math.Round(Table.TimeOfSigma(s)) : Table.TimeOfSigma(s))];
            }
            if (Continuous) times = [.. sigmas.Select(s => Math.Log(s) / 4)];
            return new([.. sigmas, last], times);
        }
    }
}
