using Langevin.Denoisers;
using Langevin.Processes;

namespace Langevin.Objectives;

/// <summary>
/// How much the squared error counts at each time. At one time the errors of ε, x_0, v, score and velocity are in a fixed
/// proportion, so a weighting is one function that can be read for any of them.
/// </summary>
public abstract record Weighting
{
    /// <summary>The unweighted error of ε: DDPM's L_simple; NCSN's λ = σ²; the weight SNR on x_0.</summary>
    public static Weighting Simple { get; } = new ConstantWeighting(PredictionKind.Epsilon);

    /// <summary>The unweighted error of v: SNR + 1 on x_0 where α² + σ² = 1 (Salimans &amp; Ho 2022).</summary>
    public static Weighting V { get; } = new ConstantWeighting(PredictionKind.V);

    /// <summary>The unweighted error of the velocity: flow matching (Lipman et al. 2023).</summary>
    public static Weighting FlowMatching { get; } = new ConstantWeighting(PredictionKind.Velocity);

    /// <summary>g² on the score: the likelihood weighting of Song et al. 2021, survey equation 11.</summary>
    public static Weighting Likelihood { get; } = new LikelihoodWeighting();

    /// <summary>The weight of the squared error of a kind of prediction at a time.</summary>
    /// <param name="process">The process.</param>
    /// <param name="t">The time.</param>
    /// <param name="kind">The quantity whose error is weighted.</param>
    public abstract double Of(GaussianProcess process, double t, PredictionKind kind);

    /// <summary>The factor that makes a weight of one kind's error one of another's.</summary>
    protected static double Convert(GaussianProcess process, double t, PredictionKind from, PredictionKind to) => Targets.Ratio(process, t, from, to);
}

/// <summary>The unweighted error of one kind of prediction.</summary>
/// <param name="Kind">Whose error counts evenly.</param>
public sealed record ConstantWeighting(PredictionKind Kind) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) => Convert(process, t, Kind, kind);
}

/// <summary>σ^p on one kind's error: denoising score matching's λ(σ) = σ² is <c>new NoisePower(Score, 2)</c> (survey equation 7).</summary>
/// <param name="Kind">Whose error is weighted.</param>
/// <param name="Exponent">p.</param>
public sealed record NoisePower(PredictionKind Kind, double Exponent) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        Math.Pow(process.Sigma(t), Exponent) * Convert(process, t, Kind, kind);
}

/// <summary>g² on the score (Song et al. 2021, "maximum likelihood training"): with <see cref="Reduction.HalfSum"/>, a bound in nats.</summary>
public sealed record LikelihoodWeighting : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        process.DiffusionSquared(t) * Convert(process, t, PredictionKind.Score, kind);
}

/// <summary>EDM's weight SNR + 1/σ_data² on x_0, that is (σ² + σ_data²)/(σ σ_data)² (Karras et al. 2022, table 1): 1 on F.</summary>
/// <param name="SigmaData">Standard deviation of the data.</param>
public sealed record EdmWeighting(double SigmaData = 0.5) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        (process.Snr(t) + 1 / (SigmaData * SigmaData)) * Convert(process, t, PredictionKind.X0, kind);
}

/// <summary>min(SNR, γ) on x_0 (Hang et al. 2023): min(1, γ/SNR) on ε, min(SNR, γ)/(SNR + 1) on v.</summary>
/// <param name="Gamma">γ &gt; 0.</param>
public sealed record MinSnr(double Gamma = 5) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) => process.Snr(t) < Gamma
        ? Convert(process, t, PredictionKind.Epsilon, kind) // finite for ε where no signal is left
        : Gamma * Convert(process, t, PredictionKind.X0, kind);
}

/// <summary>The smooth minimum SNR γ/(SNR + γ) on x_0 ("soft min-SNR"); γ = 1/σ_data² for data of another scale.</summary>
/// <param name="Gamma">γ &gt; 0.</param>
public sealed record SoftMinSnr(double Gamma = 5) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        Gamma / (process.Snr(t) + Gamma) * Convert(process, t, PredictionKind.Epsilon, kind);
}

/// <summary>max(SNR, floor) on x_0 (Salimans &amp; Ho 2022, "truncated SNR"): never forgets pure noise.</summary>
/// <param name="Floor">Smallest weight.</param>
public sealed record TruncatedSnr(double Floor = 1) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        Math.Max(process.Snr(t), Floor) * Convert(process, t, PredictionKind.X0, kind);
}

/// <summary>(k + SNR)^−γ on ε (Choi et al. 2022, "P2"): less weight where only imperceptible detail is left.</summary>
/// <param name="Gamma">γ ≥ 0.</param>
/// <param name="K">k &gt; 0.</param>
public sealed record P2(double Gamma = 1, double K = 1) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind) =>
        Math.Pow(K + process.Snr(t), -Gamma) * Convert(process, t, PredictionKind.Epsilon, kind);
}

/// <summary>The logit-normal density of t on the velocity (Esser et al. 2024): what drawing t from it does, under a uniform t.</summary>
/// <param name="Mean">Mean of logit t.</param>
/// <param name="Std">Standard deviation of logit t.</param>
public sealed record LogitNormalWeighting(double Mean = 0, double Std = 1) : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind)
    {
        double share = (t - process.DataTime) / (process.MaxTime - process.DataTime);
        if (share is <= 0 or >= 1) return 0;
        double z = (Math.Log(share / (1 - share)) - Mean) / Std;
        return Math.Exp(-0.5 * z * z) / (Std * Math.Sqrt(2 * Math.PI) * share * (1 - share)) * Convert(process, t, PredictionKind.Velocity, kind);
    }
}

/// <summary>2 / (π (1 − 2σ + 2σ²)) on the velocity of a straight path (Esser et al. 2024, "CosMap"): the noise level spaced as the cosine schedule's.</summary>
public sealed record CosMap : Weighting
{
    /// <inheritdoc/>
    public override double Of(GaussianProcess process, double t, PredictionKind kind)
    {
        double sigma = process.Sigma(t);
        return 2 / (Math.PI * (1 - 2 * sigma + 2 * sigma * sigma)) * Convert(process, t, PredictionKind.Velocity, kind);
    }
}
