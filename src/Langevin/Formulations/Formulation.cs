using Langevin.Denoisers;
using Langevin.Networks;
using Langevin.Objectives;
using Langevin.Processes;
using Langevin.Samplers;

namespace Langevin.Formulations;

/// <summary>
/// A classic way to set up a diffusion model, as the composition it is: a process, how the network is read, what it learns, where in time,
/// and how samples are drawn. Everything else about a model is the same under all of them.
/// </summary>
public sealed partial record Formulation
{
    private Formulation(FormulationOptions options, GaussianProcess process, Preconditioning preconditioning, Objective objective, TimeDistribution times) =>
        (Options, Process, Preconditioning, Objective, Times) = (options, process, preconditioning, objective, times);

    /// <summary>The formulations there are.</summary>
    public static IReadOnlyList<string> Names { get; } = ["ddpm", "ncsn", "sde-vp", "sde-ve", "sde-subvp", "edm", "flow"];

    /// <summary>The numbers it was made from.</summary>
    public FormulationOptions Options { get; }

    /// <summary>What noise does to data.</summary>
    public GaussianProcess Process { get; }

    /// <summary>How the network's output is read.</summary>
    public Preconditioning Preconditioning { get; }

    /// <summary>What training makes small.</summary>
    public Objective Objective { get; }

    /// <summary>Where in time training takes place.</summary>
    public TimeDistribution Times { get; }

    /// <summary>Composes a formulation.</summary>
    /// <exception cref="ArgumentException">An unknown name, or numbers out of range.</exception>
    public static Formulation Create(FormulationOptions o)
    {
        GaussianProcess process = o.Name switch
        {
            "ddpm" => DiscreteProcess.FromBetas(BetasOf(o)),
            "ncsn" => DiscreteProcess.FromSigmas(Betas.GeometricSigmas(o.Steps, o.SigmaMax, o.SigmaMin)),
            "sde-vp" => VariancePreserving.Linear(o.BetaMin, o.BetaMax),
            "sde-subvp" => new SubVariancePreserving(o.BetaMin, o.BetaMax),
            "sde-ve" => new VarianceExploding(o.SigmaMin, o.SigmaMax),
            "edm" => new EdmProcess(o.SigmaMin, o.SigmaMax),
            "flow" => new RectifiedFlow(),
            _ => throw new ArgumentException($"There is no formulation '{o.Name}'; there are {string.Join(", ", Names)}."),
        };
        Preconditioning preconditioning = o.Name switch
        {
            "ddpm" => new PlainPreconditioning(Target(o.PredictionType)),
            "sde-vp" or "sde-subvp" => new PlainPreconditioning(Target(o.PredictionType), 999),
            "edm" => new EdmPreconditioning(o.SigmaData),
            "flow" => new PlainPreconditioning(PredictionKind.Velocity, 1000),
            _ when o.Preconditioned => new EdmPreconditioning(o.SigmaData),
            _ => new SigmaPreconditioning(),
        };
        Weighting own = o.Name switch
        {
            "ddpm" or "sde-vp" or "sde-subvp" when o.PredictionType == "v_prediction" => Weighting.V,
            "ncsn" or "sde-ve" when o.Preconditioned => new EdmWeighting(o.SigmaData), // λ(σ) that weighs F's errors evenly
            "ncsn" or "sde-ve" => new NoisePower(PredictionKind.Score, 2), // survey equation 7
            "edm" => new EdmWeighting(o.SigmaData),
            "flow" => Weighting.FlowMatching,
            _ => Weighting.Simple, // for the SDEs λ = σ², survey equation 11
        };
        Objective objective = new DenoisingObjective(o.Weighting switch
        {
            "default" => own,
            "min-snr" => new MinSnr(),
            _ => throw new ArgumentException($"There is no weighting '{o.Weighting}'; there are default, min-snr."),
        });
        if (o.LearnedVariance) objective = o.Name == "ddpm" ? HybridObjective.Default with { Simple = objective } : throw new ArgumentException($"Only ddpm learns a variance, not {o.Name}.");
        TimeDistribution times = o.Name switch
        {
            "edm" => new LogNormalTime(o.LogSigmaMean, o.LogSigmaStd) { Points = Points.LowDiscrepancy },
            "flow" => new LogitNormalTime { Points = Points.LowDiscrepancy },
            _ => new UniformTime { Points = Points.LowDiscrepancy },
        };
        return new(o, process, preconditioning, objective, times);
    }

    /// <summary>The denoiser that a raw network is under this formulation.</summary>
    public NetworkDenoiser Denoiser(Network network) => new(network, Process, Preconditioning, Options.LearnedVariance ? VarianceKind.LearnedRange : null);

    private static double[] BetasOf(FormulationOptions o)
    {
        double[] betas = o.BetaSchedule switch
        {
            "linear" => Betas.Linear(o.Steps, o.BetaStart ?? 0.1 / o.Steps, o.BetaEnd ?? 20.0 / o.Steps),
            "scaled_linear" => Betas.ScaledLinear(o.Steps, o.BetaStart ?? 0.00085, o.BetaEnd ?? 0.012),
            "cosine" => Betas.Cosine(o.Steps),
            "sigmoid" => Betas.Sigmoid(o.Steps),
            _ => throw new ArgumentException($"There is no β schedule '{o.BetaSchedule}'; there are linear, scaled_linear, cosine, sigmoid."),
        };
        return o.ZeroTerminalSnr ? Betas.RescaleZeroTerminalSnr(betas) : betas;
    }

    private static PredictionKind Target(string type) => type switch
    {
        "epsilon" => PredictionKind.Epsilon,
        "sample" => PredictionKind.X0,
        "v_prediction" => PredictionKind.V,
        _ => throw new ArgumentException($"There is no prediction type '{type}'; there are epsilon, sample, v_prediction."),
    };
}
