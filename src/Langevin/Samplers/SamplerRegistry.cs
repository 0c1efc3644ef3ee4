using System.Collections.Immutable;
using Langevin.Processes;

namespace Langevin.Samplers;

/// <summary>What a sampler solves.</summary>
public enum SamplerKind
{
    /// <summary>The probability-flow ODE: the same noise gives the same sample.</summary>
    Ode,

    /// <summary>A reverse SDE or chain: noise is drawn on the way.</summary>
    Sde,
}

/// <summary>A sampler as it is known by name.</summary>
/// <param name="Name">Its name, in lower case.</param>
/// <param name="Description">What it is, in one line.</param>
/// <param name="Kind">What it solves.</param>
/// <param name="Order">
/// Order of its global error on smooth problems: strong for the ODE, weak for an SDE; 0 where Langevin steps of a given relative length leave an
/// error that more steps do not take away.
/// </param>
/// <param name="Evaluations">Denoiser evaluations of a usual step; null where it chooses them itself.</param>
/// <param name="Create">The sampler for a process and a grid.</param>
public sealed record SamplerEntry(string Name, string Description, SamplerKind Kind, int Order, int? Evaluations, Func<GaussianProcess, TimeGrid, Sampler> Create)
{
    /// <summary>Which processes it runs on; all unless told otherwise.</summary>
    public Predicate<GaussianProcess> RunsOn { get; init; } = _ => true;

    /// <summary>Whether its last step goes to clean data, or its grid ends at the process's smallest time.</summary>
    public bool EndsAtData { get; init; } = true;

    /// <summary>The spacing of its grid on a process unless told otherwise; null for the process's usual one (<see cref="GridRegistry.NameFor"/>).</summary>
    public Func<GaussianProcess, string?> Grid { get; init; } = _ => null;
}

/// <summary>The samplers by name: what <c>--sampler</c> takes. A sampler is one file, and one line here or one call of <see cref="Register"/>.</summary>
public static class SamplerRegistry
{
    private static ImmutableList<SamplerEntry> entries =
    [
        new("ddpm", "ancestral sampling (Ho et al. 2020), the network's own variance where it has one", SamplerKind.Sde, 1, 1, (_, _) => new DdpmAncestral()),
        new("ddim", "DDIM (Song et al. 2021), deterministic", SamplerKind.Ode, 1, 1, (_, _) => new Ddim()),
        new("euler", "Euler on the probability flow", SamplerKind.Ode, 1, 1, (_, _) => new ProbabilityFlow(1)) { Grid = ByRatio },
        new("heun", "Heun on the probability flow (Karras et al. 2022, algorithm 1)", SamplerKind.Ode, 2, 2,
            (p, _) => new ProbabilityFlow(2, Coordinates: p is RectifiedFlow ? FlowCoordinates.Time : null)) { Grid = ByRatio },
        new("edm", "Heun with noise churn (Karras et al. 2022, algorithm 2)", SamplerKind.Sde, 2, 2,
            (_, _) => new ProbabilityFlow(Churn: new Churn(Amount: 20, Min: 0.05, Max: 50, Noise: 1.003))) { RunsOn = HasSignal, Grid = ByRatio },
        new("rk45", "adaptive Dormand–Prince 5(4) on the probability flow", SamplerKind.Ode, 5, null, (_, _) => new DormandPrince()) { EndsAtData = false },
        new("adaptive-heun", "Heun and Euler on the probability flow, adaptive steps (Jolicoeur-Martineau et al. 2021)", SamplerKind.Ode, 2, null, (_, _) => new AdaptiveHeun()),
        new("pc", "reverse diffusion with a Langevin corrector (Song et al. 2021)", SamplerKind.Sde, 0, 2,
            (_, _) => new PredictorCorrector(new ReverseDiffusion(), new LangevinCorrector())) { RunsOn = HasSignal },
        new("reverse-diffusion", "the reverse SDE, discretised as the process is (Song et al. 2021)", SamplerKind.Sde, 1, 1, (_, _) => new ReverseDiffusion()) { RunsOn = HasSignal },
        new("ancestral", "the ancestral predictor of score_sde", SamplerKind.Sde, 1, 1, (_, _) => new AncestralPredictor()) { RunsOn = HasSignal },
        new("euler-maruyama", "Euler–Maruyama on the reverse SDE", SamplerKind.Sde, 1, 1, (_, _) => new EulerMaruyama()) { RunsOn = HasSignal, EndsAtData = false },
        new("annealed-langevin", "annealed Langevin dynamics (Song & Ermon 2019)", SamplerKind.Sde, 0, 3,
            (p, _) => new AnnealedLangevin(Epsilon: 0.2 * Math.Pow(p.Sigma(p.MinTime), 2), Count: 3)) { RunsOn = IsUnscaled },
        new("consistent-annealed", "consistent annealed sampling (Jolicoeur-Martineau et al. 2021)", SamplerKind.Sde, 1, 1,
            (p, grid) => ConsistentAnnealedSampling.Ancestral(p, grid)) { RunsOn = IsUnscaled },
        new("euler-ancestral", "Euler with ancestral noise, DDIM at η = 1", SamplerKind.Sde, 1, 1, (_, _) => new Ddim(1)) { Grid = ByRatio },
        new("dpm2", "DPM-Solver-2 with the midpoint in log σ", SamplerKind.Ode, 2, 2, (_, _) => new Dpm2()) { Grid = ByRatio },
        new("dpm2-ancestral", "the same with ancestral noise", SamplerKind.Sde, 1, 2, (_, _) => new Dpm2(1)) { Grid = ByRatio },
        new("lms", "linear multistep of order 4 (k-diffusion)", SamplerKind.Ode, 4, 1, (_, _) => new LinearMultistep()) { Grid = ByRatio },
        new("dpm-fast", "DPM-Solver of order 3, single steps (Lu et al. 2022)", SamplerKind.Ode, 3, 3, 
            (p, grid) => new DpmFast(Math.Max(1, 3 * (p.Sigma(grid[grid.Steps]) == 0 ? grid.Steps - 1 : grid.Steps) - 1))) { Grid = ByLambda },
        new("dpm-adaptive", "DPM-Solver of order 3, adaptive steps", SamplerKind.Ode, 3, null, (_, _) => new DpmAdaptive()),
        new("dpm++2s", "DPM-Solver++(2S), single steps (Lu et al. 2022)", SamplerKind.Ode, 2, 2, (_, _) => new DpmPlusPlus2S()) { Grid = ByLambda },
        new("dpm++2s-ancestral", "the same with ancestral noise", SamplerKind.Sde, 1, 2, (_, _) => new DpmPlusPlus2S(1)) { Grid = ByLambda },
        new("dpm++sde", "DPM-Solver++ of the reverse SDE, two evaluations a step (k-diffusion)", SamplerKind.Sde, 1, 2, (_, _) => new DpmPlusPlusSde()) { Grid = ByLambda },
        new("er-sde", "extended reverse-time SDE solver of order 3 (Cui et al. 2023)", SamplerKind.Sde, 1, 1, (_, _) => new ErSde()) { Grid = ByRatio },
        new("dpm++2m", "DPM-Solver++(2M), multistep (Lu et al. 2022)", SamplerKind.Ode, 2, 1, (_, _) => new DpmMultistep(2)) { Grid = ByLambda },
        new("dpm++2m-sde", "the same for the reverse SDE", SamplerKind.Sde, 1, 1, (_, _) => new DpmMultistep(2, Eta: 1, Slope: SlopeWeight.Midpoint)) { Grid = ByLambda },
        new("dpm++3m", "DPM-Solver++(3M), multistep, with the weights of order 3", SamplerKind.Ode, 3, 1, (_, _) => new DpmMultistep(3, Curvature: CurvatureWeight.Exact)) { Grid = ByLambda },
        new("dpm++3m-sde", "DPM-Solver++(3M) of the reverse SDE, as published", SamplerKind.Sde, 1, 1, (_, _) => new DpmMultistep(3, Eta: 1)) { Grid = ByLambda },
        new("dpm2m", "DPM-Solver(2M), multistep, in ε̂", SamplerKind.Ode, 2, 1, (_, _) => new DpmMultistep(2, PredictsNoise: true)) { RunsOn = HasSignal, Grid = ByLambda },
        new("dpm++3s", "DPM-Solver++(3S), groups of three of the grid's steps", SamplerKind.Ode, 3, 1, (_, _) => new DpmSingleStep(3, Slope: SlopeWeight.Exact)) { Grid = ByLambda },
        new("deis", "DEIS of order 3 (Zhang & Chen 2023)", SamplerKind.Ode, 3, 1, (_, _) => DpmMultistep.Deis()) { RunsOn = HasSignal, Grid = ByLambda },
        new("unipc", "UniPC of order 2, corrected to 3 (Zhao et al. 2023)", SamplerKind.Ode, 3, 1, (_, _) => new UniPc()) { Grid = ByLambda },
        new("unipc3", "UniPC of order 3, corrected to 4", SamplerKind.Ode, 4, 1, (_, _) => new UniPc(3)) { Grid = ByLambda },
        new("sa-solver", "SA-Solver(3, 4): the reverse SDE in the middle, the flow at both ends (Xue et al. 2023)", SamplerKind.Sde, 1, 1, (p, _) => SaSolver.Usual(p)) { Grid = ByLambda },
        new("ipndm", "improved PNDM: Adams–Bashforth on ε̂ for even steps (Liu et al. 2022)", SamplerKind.Ode, 2, 1, (_, _) => new Pndm(WarmUp.LowerOrders)),
        new("restart", "Heun with restarts at a low noise level (Xu et al. 2023)", SamplerKind.Sde, 2, 2, (p, grid) => new Restart([RestartInterval.About(p, grid, 0.06)])) { Grid = ByRatio },
    ];

    /// <summary>All of them, those registered last at the end.</summary>
    public static IReadOnlyList<SamplerEntry> All => entries;

    /// <summary>The sampler of a name.</summary>
    /// <exception cref="ArgumentException">There is none; the nearest name is given.</exception>
    public static SamplerEntry Find(string name) => entries.Find(e => e.Name == name)
        ?? throw new ArgumentException($"There is no sampler '{name}'; the nearest name is '{Spelling.Nearest(name, entries.Select(e => e.Name))}', and 'langevin samplers' lists all.", nameof(name));

    /// <summary>The samplers that run on a process.</summary>
    public static IEnumerable<SamplerEntry> For(GaussianProcess process) => entries.Where(e => e.RunsOn(process));

    /// <summary>Makes a sampler known by name, instead of one of the same name.</summary>
    public static void Register(SamplerEntry entry) => ImmutableInterlocked.Update(ref entries, known => known.RemoveAll(e => e.Name == entry.Name).Add(entry));

    // The score of pure noise, where α = 0, says nothing, and an integrator in ε̂ has no first step out of it.
    private static bool HasSignal(GaussianProcess process) => process.Alpha(process.MaxTime) > 0;

    // Even times make one leap of the last decades of noise, which breaks what goes by λ or by σ/α; the two suit Lu et al.'s solvers and
    // Karras et al.'s. A chain of levels is even in λ already, and on the straight path even times serve what has no memory.
    private static string? ByLambda(GaussianProcess process) => process.Alpha(process.MaxTime) < 1 ? "exponential" : null;

    private static string? ByRatio(GaussianProcess process) => process is RectifiedFlow || process.Alpha(process.MaxTime) == 1 ? null : "karras";

    private static bool IsUnscaled(GaussianProcess process) => process.Alpha(process.MaxTime) == 1 && process.Sigma(process.MinTime) > 0;
}
