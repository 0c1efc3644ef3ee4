namespace Langevin.Formulations;

/// <summary>The free numbers of a formulation; those that a formulation does not use are ignored by it.</summary>
public sealed record FormulationOptions
{
    /// <summary>Which formulation: ddpm, ncsn, sde-vp, sde-ve, sde-subvp, edm or flow.</summary>
    public string Name { get; init; } = "ddpm";

    /// <summary>Number of steps T of a table (ddpm), or of noise levels L (ncsn).</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>β table of ddpm: linear, scaled_linear, cosine or sigmoid.</summary>
    public string BetaSchedule { get; init; } = "cosine";

    /// <summary>First β of a linear or scaled_linear table; the schedule's own (0.1/T, 0.00085) when null.</summary>
    public double? BetaStart { get; init; }

    /// <summary>Last β of a linear or scaled_linear table; the schedule's own (20/T, 0.012) when null.</summary>
    public double? BetaEnd { get; init; }

    /// <summary>Whether the β table is rescaled so that its last step has no signal.</summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <summary>What a network of ddpm, sde-vp or sde-subvp predicts: epsilon, sample or v_prediction.</summary>
    public string PredictionType { get; init; } = "epsilon";

    /// <summary>Whether a ddpm network also learns the variance of the reverse step (range form, hybrid loss).</summary>
    public bool LearnedVariance { get; init; }

    /// <summary>
    /// Whether a network of ncsn or sde-ve is wrapped in EDM's preconditioning, with the weighting that goes with it, instead of
    /// reading the noisy sample as it is and answering σ times the score. It learns a great deal faster.
    /// </summary>
    public bool Preconditioned { get; init; }

    /// <summary>Standard deviation of the data, for EDM's preconditioning.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Mean of the normal distribution of ln σ in EDM's training.</summary>
    public double LogSigmaMean { get; init; } = -1.2;

    /// <summary>Standard deviation of ln σ in EDM's training.</summary>
    public double LogSigmaStd { get; init; } = 1.2;

    /// <summary>Smallest noise level (edm, ncsn, sde-ve).</summary>
    public double SigmaMin { get; init; } = 0.01;

    /// <summary>Largest noise level (edm, ncsn, sde-ve).</summary>
    public double SigmaMax { get; init; } = 50;

    /// <summary>β_min of the VP and sub-VP SDE.</summary>
    public double BetaMin { get; init; } = 0.1;

    /// <summary>β_max of the VP and sub-VP SDE.</summary>
    public double BetaMax { get; init; } = 20;

    /// <summary>Weighting of the loss: default (the formulation's own) or min-snr.</summary>
    public string Weighting { get; init; } = "default";
}
