using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>A scheduler's table of T noise levels, and the ways in which its kin choose times from it.</summary>
/// <remarks>The reference keeps its table in single precision, and so do published samples: these are its levels, in double.</remarks>
internal sealed class NoiseTable
{
    private NoiseTable(DiscreteProcess process)
    {
        Process = process;
        Sigmas = [.. Enumerable.Range(0, process.Steps).Select(n => process.Unscaled().Sigma(n))];
        (Linear, Log) = (DiscreteProcess.FromSigmas(Sigmas, logarithmic: false), DiscreteProcess.FromSigmas(Sigmas));
    }

    /// <summary>The β table that a configuration names.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="bounded">
    /// Whether a zero-terminal-SNR table ends just short of no signal (ᾱ = 2⁻²⁴), where a sampler goes by σ/α.
    /// </param>
    /// <param name="start">Default of <c>beta_start</c>.</param>
    /// <param name="end">Default of <c>beta_end</c>.</param>
    /// <param name="schedule">Default of <c>beta_schedule</c>.</param>
    /// <param name="zeroSnr">Whether the class has <c>rescale_betas_zero_snr</c>.</param>
    /// <param name="others">Schedules that this class knows besides the usual three.</param>
    public static NoiseTable Of(SchedulerOptions options, bool bounded = false, double start = 1e-4, double end = 0.02, string schedule = "linear",
        bool zeroSnr = true, params string[] others)
    {
        double[] betas = BetasOf(options, start, end, schedule, zeroSnr, others);
        bool rescaled = zeroSnr && options.Flag("rescale_betas_zero_snr", false);
        double product = 1;
        double[] bars = [.. betas.Select(b => (double)(float)(product *= 1 - (float)b))];
        if (rescaled && bounded) bars[^1] = Math.Pow(2, -24);
        return new(DiscreteProcess.FromAlphasCumprod(bars));
    }

    /// <summary>CogVideoX's table: the signal-to-noise ratio divided by a factor, and then rescaled to zero terminal SNR if asked for.</summary>
    public static NoiseTable Shifted(SchedulerOptions options, double factor)
    {
        double product = 1;
        double[] bars = [.. Named(options, 0.00085, 0.012, "scaled_linear", []).Select(b => (double)(float)(product *= 1 - (float)b)).Select(a => a / (factor + (1 - factor) * a))];
        if (!options.Flag("rescale_betas_zero_snr", false)) return new(DiscreteProcess.FromAlphasCumprod(bars));
        double first = Math.Sqrt(bars[0]), last = Math.Sqrt(bars[^1]);
        return new(DiscreteProcess.FromAlphasCumprod([.. bars.Select(a => Math.Pow((Math.Sqrt(a) - last) * (first / (first - last)), 2))]));
    }

    /// <summary>The variance-preserving process of the table, exact at its steps.</summary>
    public DiscreteProcess Process { get; }

    /// <summary>Number of steps T.</summary>
    public int Steps => Process.Steps;

    /// <summary>σ/α of each step, ascending.</summary>
    public double[] Sigmas { get; }

    /// <summary>The levels σ/α without scaling, σ linear between them (schedulers with real-valued times).</summary>
    public DiscreteProcess Linear { get; }

    /// <summary>The levels σ/α without scaling, log σ linear between them.</summary>
    public DiscreteProcess Log { get; }

    /// <summary>The real-valued step of a level σ/α, by its logarithm.</summary>
    public double TimeOfSigma(double sigma) => Math.Max(0, Log.TimeOfLambda(-Math.Log(sigma)));

    /// <summary>n whole times, descending, as DDIM, DDPM and PNDM take them.</summary>
    public double[] Whole(string spacing, int n, int offset) => First(spacing switch
    {
        "leading" => TimeGrid.Leading(Process, n, offset),
        "trailing" => TimeGrid.Trailing(Process, n),
        _ => TimeGrid.Spaced(Process, n),
    }, n);

    /// <summary>n times, real-valued in the even spacing, as the k-diffusion family takes them.</summary>
    public double[] Between(string spacing, int n, int offset) =>
        spacing == "linspace" ? First(TimeGrid.Uniform(Process, n, toData: true), n) : Whole(spacing, n, offset);

    /// <summary>n + 1 whole times without the last, as the multistep solvers take them.</summary>
    /// <param name="spacing">The spacing.</param>
    /// <param name="n">How many.</param>
    /// <param name="offset">Added to every time of the leading spacing.</param>
    /// <param name="last">Number of the table's steps to choose from.</param>
    public double[] Multistep(string spacing, int n, int offset, int? last = null)
    {
        int count = last ?? Steps;
        return spacing switch
        {
            "trailing" => [.. Enumerable.Range(0, n).Select(i => count - i * ((double)Steps / n)).TakeWhile(t => t > 1e-9).Select(t => Math.Round(t) - 1)],
            "leading" => [.. Enumerable.Range(1, n).Reverse().Select(i => (double)(i * (count / (n + 1)) + offset))],
            _ => [.. Spaced(n + 1, 0, count - 1).Select(t => Math.Round(t)).Reverse().Take(n)],
        };
    }

    /// <summary>Number of steps whose λ is at least a bound: where a cosine table is cut off.</summary>
    public int Above(double lambda) => Enumerable.Range(0, Steps).Count(n => Process.Lambda(n) >= lambda);

    /// <summary>The β table alone, in double; see <see cref="Of"/>.</summary>
    internal static double[] BetasOf(SchedulerOptions options, double start = 1e-4, double end = 0.02, string schedule = "linear", bool zeroSnr = true, params string[] others)
    {
        double[] betas = Named(options, start, end, schedule, others);
        return zeroSnr && options.Flag("rescale_betas_zero_snr", false) ? Betas.RescaleZeroTerminalSnr(betas) : betas;
    }

    private static double[] Named(SchedulerOptions options, double start, double end, string schedule, string[] others)
    {
        string[] known = ["linear", "scaled_linear", "squaredcos_cap_v2", .. others];
        string name = options.Word("beta_schedule", [schedule, .. known.Where(k => k != schedule)]);
        int steps = options.Whole("num_train_timesteps", 1000);
        (start, end) = (options.Number("beta_start", start), options.Number("beta_end", end));
        if (options.Numbers("trained_betas") is { } trained)
            return trained.Length > 0 && trained.All(b => b is >= 0 and <= 1) ? trained : throw options.Unsupported("trained_betas", "every β must lie in [0, 1]");
        return name switch
        {
            "linear" => Betas.Linear(steps, start, end),
            "scaled_linear" => Betas.ScaledLinear(steps, start, end),
            "squaredcos_cap_v2" or "cosine" => Betas.Cosine(steps),
            "sigmoid" => Betas.Sigmoid(steps, start, end),
            "exp" => Betas.Exponential(steps),
            "laplace" => Betas.Laplace(steps),
            _ => throw options.Unsupported("beta_schedule", "it has no table"),
        };
    }

    /// <summary>Evenly spaced numbers, both ends included.</summary>
    public static double[] Spaced(int count, double start, double end)
    {
        double step = (end - start) / Math.Max(1, count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i == count - 1 && i > 0 ? end : start + i * step)];
    }

    private static double[] First(TimeGrid grid, int n) => [.. grid.Times.Take(n)];
}
