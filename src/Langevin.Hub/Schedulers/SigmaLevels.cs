using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Hub.Schedulers;

/// <summary>
/// The noise levels of the multistep solvers' configurations: from whole times of the table, or spaced by themselves (Karras,
/// exponential, Beta, uniform in λ, flow), with what the network is told at each.
/// </summary>
/// <remarks>The process's time is the level: σ/α of a variance-preserving process, or σ of the straight path.</remarks>
internal sealed class SigmaLevels
{
    private readonly SchedulerOptions options;
    private readonly NoiseTable table;
    private readonly string spacing, mode;
    private readonly int offset, last;
    private readonly bool dynamic, exponential, rounds;
    private readonly double shift;
    private readonly double? low, high;

    /// <summary>Reads the options.</summary>
    /// <param name="options">The options.</param>
    /// <param name="table">The table.</param>
    /// <param name="spacings">Whether the class has <c>timestep_spacing</c> and <c>steps_offset</c>; else even.</param>
    /// <param name="clips">Whether the class has <c>lambda_min_clipped</c>.</param>
    /// <param name="lu">Whether the class has <c>use_lu_lambdas</c>.</param>
    /// <param name="wide">Whether the class has more: Karras' levels on the flow, ends of a spread, a dynamic shift that is linear.</param>
    public SigmaLevels(SchedulerOptions options, NoiseTable table, bool spacings = true, bool clips = true, bool lu = false, bool wide = false)
    {
        (this.options, this.table) = (options, table);
        spacing = spacings ? options.Word("timestep_spacing", "linspace", "leading", "trailing") : "linspace";
        offset = spacings ? options.Whole("steps_offset", 0) : 0;
        last = clips ? table.Above(options.Number("lambda_min_clipped", double.NegativeInfinity)) : table.Steps;
        string[] flags = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas", .. lu ? ["use_lu_lambdas"] : Array.Empty<string>()];
        string[] set = [.. flags.Where(f => options.Flag(f, false))];
        IsFlow = set.Contains("use_flow_sigmas");
        string[] spaced = [.. set.Where(f => f != "use_flow_sigmas")];
        if (spaced.Length > 1 || (IsFlow && spaced is [var other] && !(wide && other == "use_karras_sigmas"))) throw options.Unsupported(spaced[0], $"it does not go with {set.First(f => f != spaced[0])}");
        mode = spaced.Length > 0 ? spaced[0] : IsFlow ? "use_flow_sigmas" : "";
        rounds = mode == "use_karras_sigmas" || mode == "use_lu_lambdas";
        // The one multistep class cuts off under a cosine table.
        if (lu && options.Word("beta_schedule", "linear", "scaled_linear", "squaredcos_cap_v2") == "squaredcos_cap_v2") rounds = false;
        shift = options.Number("flow_shift", 1);
        dynamic = options.Flag("use_dynamic_shifting", false);
        exponential = options.Word("time_shift_type", "exponential", "linear") == "exponential";
        if (!exponential && dynamic && !wide) throw options.Unsupported("time_shift_type", "this class's dynamic shift is exponential");
        if (wide) (low, high) = (options.Maybe("sigma_min"), options.Maybe("sigma_max"));
        if (mode == "use_lu_lambdas" && table.Sigmas[0] <= 0) throw options.Unsupported(mode, "the table begins without noise");
        Process = IsFlow ? new RectifiedFlow() : new EdmProcess(table.Sigmas[0], table.Sigmas[^1]).UnitVariance();
    }

    /// <summary>Whether the levels lie on the straight path of flow matching.</summary>
    public bool IsFlow { get; }

    /// <summary>The process whose time is the level.</summary>
    public GaussianProcess Process { get; }

    /// <summary>Whether a request may list the table's times.</summary>
    public bool TakesTimesteps => mode == "";

    /// <summary>What the network predicts.</summary>
    public Denoisers.PredictionKind Prediction()
    {
        var kind = Decorations.Prediction(options, flow: true);
        // v and the velocity are read by the formula of the one path; ε and x_0 by that of either.
        if (kind is Denoisers.PredictionKind.Velocity or Denoisers.PredictionKind.V && IsFlow != (kind == Denoisers.PredictionKind.Velocity))
            throw options.Unsupported("prediction_type", IsFlow ? "use_flow_sigmas goes with flow_prediction, epsilon or sample" : "flow_prediction goes with use_flow_sigmas");
        return kind;
    }

    /// <summary>The levels of n steps and what the network is told at each; the level where the last step ends is the caller's.</summary>
    public (double[] Sigmas, double[] Told) Of(SchedulerRequest request, int n)
    {
        if (request.Timesteps is { } listed) return ([.. listed.Select(table.Linear.Sigma)], [.. listed]);
        if (mode == "")
        {
            double[] times = table.Multistep(spacing, n, offset, last);
            return ([.. times.Select(table.Linear.Sigma)], times);
        }
        if (mode == "use_flow_sigmas")
        {
            double by = ShiftOf(request);
            return OnFlow([.. NoiseTable.Spaced(n + 1, 1, 1.0 / table.Steps).Select(a => Shift(1 - a, by)).Reverse().Take(n)]);
        }
        double[] sigmas = Spaced(n);
        if (IsFlow) return OnFlow([.. sigmas.Select(s => s / (1 + s))]);
        return (sigmas, [.. sigmas.Select(s => table.TimeOfSigma(s)).Select(Heard)]);
    }

    /// <summary>A level moved towards noise: s' = k s/(1 + (k − 1) s) (Esser et al. 2024, equation 23).</summary>
    public static double Shift(double level, double by) => by * level / (1 + (by - 1) * level);

    /// <summary>The factor by which the request's levels are moved.</summary>
    public double ShiftOf(SchedulerRequest request)
    {
        if (!dynamic) return shift;
        double mu = request.Mu ?? throw new ArgumentException("A dynamic shift needs μ: give it with the request.");
        return exponential ? Math.Exp(mu) : mu;
    }

    /// <summary>Whether the flow's levels are the even ones, shifted.</summary>
    public bool IsEvenFlow => mode == "use_flow_sigmas";

    private (double[] Sigmas, double[] Told) OnFlow(double[] levels) => (levels, [.. levels.Select(s => Math.Truncate(s * table.Steps))]);

    // The network hears whole times, rounded or cut off.
    private double Heard(double t) => rounds ? Math.Round(t) : Math.Truncate(t);

    private double[] Spaced(int n)
    {
        var edm = new EdmProcess(low ?? table.Sigmas[0], high ?? table.Sigmas[^1]);
        return [.. (mode switch
        {
            "use_karras_sigmas" => TimeGrid.Karras(edm, n),
            "use_beta_sigmas" => TimeGrid.Beta(edm, n),
            _ => TimeGrid.Exponential(edm, n), // uniform in λ too
        }).Times.Take(n)];
    }
}
