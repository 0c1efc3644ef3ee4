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

    /// <summary>LTX-Video's: Euler with ancestral noise. Listed levels are taken as they are, their end included.</summary>
    public static SchedulerPlan Ancestral(SchedulerOptions options)
    {
        var sampler = new FlowAncestral(options.Number("eta", 1), options.Number("s_noise", 1));
        var plan = Plan(options, _ => sampler);
        int steps = options.Whole("num_train_timesteps", 1000);
        return plan with
        {
            TakesTimesteps = false,
            Grid = (request, n) => request.Sigmas is { } listed ? new([.. listed], [.. listed.SkipLast(1).Select(s => s * steps)]) : plan.Grid(request, n),
        };
    }

    /// <summary>A flow map's: Euler from one shifted level to the next.</summary>
    public static SchedulerPlan Map(SchedulerOptions options)
    {
        int steps = options.Whole("num_train_timesteps", 1000);
        double shift = options.Number("shift", 1);
        return new(Process, PredictionKind.Velocity, (request, n) =>
        {
            double[] plain = request.Sigmas is { } listed ? [.. listed] : request.Timesteps is { } times ? [.. times.Select(t => t / steps)] : NoiseTable.Spaced(n + 1, 1, 0)[..^1];
            double[] sigmas = [.. plain.Select(s => SigmaLevels.Shift(s, shift))];
            return new([.. sigmas, 0], [.. sigmas.Select(s => s * steps)]);
        }, (_, _) => new ProbabilityFlow(1, Coordinates: FlowCoordinates.Time)) { TakesTimesteps = true, TakesSigmas = true };
    }

    /// <summary>MiniMax's: n levels make n − 1 steps, and the network, which is told 1 − σ, gives the velocity towards data.</summary>
    public static SchedulerPlan Towards(SchedulerOptions options)
    {
        double shift = options.Number("shift", 12);
        if (!(shift > 0)) throw options.Unsupported("shift", "choose a positive number");
        return new(Process, PredictionKind.Velocity, (request, n) =>
        {
            if (n < 2) throw new ArgumentException("n levels make n − 1 steps: ask for at least 2.");
            double[] sigmas = request.Sigmas is { } listed ? [.. listed] : [.. NoiseTable.Spaced(n, 1, 0).Select(s => SigmaLevels.Shift(s, shift)).Distinct()];
            return sigmas[^1] == 0 ? new(sigmas, [.. sigmas[..^1].Select(s => 1 - s)]) : throw new ArgumentException("The listed levels must end at 0.");
        }, (_, _) => new ProbabilityFlow(1, Coordinates: FlowCoordinates.Time)) { Preconditioning = _ => new VelocityTowardsData(1), TakesSigmas = true };
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
        }
        bool inverted = !plain && options.Flag("invert_sigmas", false);
        if (inverted && sampler(new()) is not ProbabilityFlow) throw options.Unsupported("invert_sigmas", "it goes with FlowMatchEulerDiscreteScheduler, not stochastic");
        Preconditioning preconditioning = inverted ? new VelocityTowardsData(steps) : new PlainPreconditioning(PredictionKind.Velocity, steps);
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
            return new([.. sigmas, 0], [.. sigmas.Select(s => (inverted ? 1 - s : s) * steps)]);
        }
    }
}

/// <summary>The network gives the velocity from noise to data, and is told how near to data it is: scale · (1 − t).</summary>
internal sealed record VelocityTowardsData(double Scale) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Velocity;

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t) => -1;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Scale * (1 - t);
}
