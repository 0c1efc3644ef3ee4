using Langevin.Denoisers;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>Flow matching: the straight path, whose time is σ, with the times shifted towards noise.</summary>
internal static class FlowMatchFamily
{
    private static readonly RectifiedFlow Process = new();

    public static SchedulerPlan Euler(SchedulerOptions options)
    {
        bool stochastic = options.Flag("stochastic_sampling", false);
        return Plan(options, _ => stochastic ? new ConsistencySampling() : new ProbabilityFlow(1, Coordinates: FlowCoordinates.Time));
    }

    public static SchedulerPlan Heun(SchedulerOptions options) => Plan(options, _ => new ProbabilityFlow(2, Coordinates: FlowCoordinates.Time), plain: true);

    public static SchedulerPlan Consistency(SchedulerOptions options)
    {
        if (options.Numbers("scale_factors") is { Length: > 0 }) throw options.Unsupported("scale_factors", "samples keep their size here");
        options.Word("upscale_mode", "bicubic", "nearest", "area", "bilinear");
        return Plan(options, _ => new ConsistencySampling());
    }

    private static SchedulerPlan Plan(SchedulerOptions options, Func<SchedulerRequest, Sampler> sampler, bool plain = false)
    {
        int steps = options.Whole("num_train_timesteps", 1000);
        double shift = options.Number("shift", 1);
        bool byImage = false, exponential = true;
        double? terminal = null;
        Func<EdmProcess, int, TimeGrid>? spread = null;
        if (!plain)
        {
            byImage = options.Flag("use_dynamic_shifting", false);
            exponential = options.Word("time_shift_type", "exponential", "linear") == "exponential";
            terminal = options.Maybe("shift_terminal");
            spread = Decorations.Spread(options);
            // What a pipeline computes μ from.
            foreach (string name in new[] { "base_shift", "max_shift", "base_image_seq_len", "max_image_seq_len" }) options.Maybe(name);
            if (options.Flag("invert_sigmas", false)) throw options.Unsupported("invert_sigmas", "times run from noise to data here");
        }
        var preconditioning = new PlainPreconditioning(PredictionKind.Velocity, steps);
        return new(Process, PredictionKind.Velocity, Grid, (request, _) => sampler(request)) { Preconditioning = _ => preconditioning, TakesTimesteps = !plain, TakesSigmas = !plain };

        SchedulerTimes Grid(SchedulerRequest request, int n)
        {
            // The smallest of the training times is shifted once already, unless the shift is dynamic.
            double smallest = byImage ? 1.0 / steps : SigmaLevels.Shift(1.0 / steps, shift);
            double[] sigmas = request.Sigmas is { } given ? [.. given]
                : request.Timesteps is { } times ? [.. times.Select(t => t / steps)]
                : NoiseTable.Spaced(n, 1, smallest);
            double by = !byImage ? shift
                : request.Mu is not { } mu ? throw new ArgumentException("A dynamic shift needs μ, which grows with the size of the image: give SchedulerRequest.Mu.")
                : exponential ? Math.Exp(mu) : mu;
            sigmas = [.. sigmas.Select(s => SigmaLevels.Shift(s, by))];
            if (terminal is { } end and > 0) sigmas = [.. sigmas.Select(s => 1 - (1 - s) * (1 - end) / (1 - sigmas[^1]))];
            if (spread is not null) sigmas = [.. spread(new EdmProcess(sigmas[^1], sigmas[0]), n).Times.Take(n)];
            return new([.. sigmas, 0], [.. sigmas.Select(s => s * steps)]);
        }
    }
}
