using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Denoisers;

/// <summary>
/// How a raw network F becomes a prediction: value = c_skip x + c_out F(c_in x; c_noise), read as <see cref="Kind"/>
/// (Karras et al. 2022, equation 7, for any process and any prediction).
/// </summary>
public abstract record Preconditioning
{
    /// <summary>What the preconditioned value predicts.</summary>
    public abstract PredictionKind Kind { get; }

    /// <summary>Scale of x in the prediction.</summary>
    public virtual double Skip(GaussianProcess process, double t) => 0;

    /// <summary>Whether <see cref="Skip"/> is anything but 0.</summary>
    public virtual bool HasSkip => false;

    /// <summary>Scale of the network's output.</summary>
    public virtual double Out(GaussianProcess process, double t) => 1;

    /// <summary>Scale of the network's input.</summary>
    public virtual double In(GaussianProcess process, double t) => 1;

    /// <summary>The noise level in the network's own unit.</summary>
    public abstract double Noise(GaussianProcess process, double t);

    /// <summary>Whether skip is 0 and out is 1, so that the network's output is the prediction itself.</summary>
    public virtual bool IsPlain => false;

    /// <summary>The noise-to-signal ratio σ/α: EDM's σ for any process.</summary>
    protected static double Ratio(GaussianProcess process, double t) => process.Sigma(t) / process.Alpha(t);
}

/// <summary>The network predicts directly, and is told <c>scale · t</c>.</summary>
/// <param name="Target">What it predicts.</param>
/// <param name="Scale">1 for tables (the step n); 999 for score_sde's VP; 1,000 for flows.</param>
public sealed record PlainPreconditioning(PredictionKind Target = PredictionKind.Epsilon, double Scale = 1) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => Target;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Scale * t;

    /// <inheritdoc/>
    public override bool IsPlain => true;
}

/// <summary>EDM's preconditioning (Karras et al. 2022, table 1): unit-variance input and target at every noise level.</summary>
/// <param name="SigmaData">Standard deviation of the data.</param>
public sealed record EdmPreconditioning(double SigmaData = 0.5) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.X0;

    /// <inheritdoc/>
    public override bool HasSkip => true;

    /// <inheritdoc/>
    public override double Skip(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return SigmaData * SigmaData / (s * s + SigmaData * SigmaData) / process.Alpha(t);
    }

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return s * SigmaData / Math.Sqrt(s * s + SigmaData * SigmaData);
    }

    /// <inheritdoc/>
    public override double In(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return 1 / Math.Sqrt(s * s + SigmaData * SigmaData) / process.Alpha(t);
    }

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Math.Log(Ratio(process, t)) / 4;
}

/// <summary>
/// The variance-exploding parameterisation: score = F(x; ln(σ/2)) / σ (Song &amp; Ermon 2020, technique 3; Karras et al. 2022, "VE").
/// </summary>
/// <param name="Told">Whether the network is told the noise level; without, score = F(x) / σ of an unconditional network, technique 3 itself.</param>
public sealed record VePreconditioning(bool Told = true) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Score;

    /// <inheritdoc/>
    public override double Out(GaussianProcess process, double t) => 1 / process.Sigma(t);

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Told ? Math.Log(0.5 * Ratio(process, t)) : 0;
}

/// <summary>The VP parameterisation of EDM's table 1: ε from the input scaled to unit variance, told (M−1) t of the VP SDE.</summary>
/// <param name="BetaD">β_max − β_min.</param>
/// <param name="BetaMin">β_min.</param>
/// <param name="Scale">M − 1.</param>
public sealed record VpPreconditioning(double BetaD = 19.9, double BetaMin = 0.1, double Scale = 999) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Epsilon;

    /// <inheritdoc/>
    public override double In(GaussianProcess process, double t)
    {
        double a = process.Alpha(t), s = process.Sigma(t);
        return 1 / Math.Sqrt(a * a + s * s);
    }

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t)
    {
        double s = Ratio(process, t);
        return Scale * (Math.Sqrt(BetaMin * BetaMin + 2 * BetaD * double.LogP1(s * s)) - BetaMin) / BetaD;
    }
}

/// <summary>The improved-DDPM parameterisation of EDM's table 1: ε, told the index of the nearest of M cosine noise levels.</summary>
/// <param name="C1">Cap of each ᾱ ratio.</param>
/// <param name="C2">Offset of the cosine.</param>
/// <param name="M">Number of levels.</param>
public sealed record IddpmPreconditioning(double C1 = 0.001, double C2 = 0.008, int M = 1000) : Preconditioning
{
    private readonly double[] levels = Levels(C1, M, j => Math.Pow(Math.Sin(0.5 * Math.PI * j / M / (C2 + 1)), 2));

    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Epsilon;

    /// <inheritdoc/>
    public override double In(GaussianProcess process, double t)
    {
        double a = process.Alpha(t), s = process.Sigma(t);
        return 1 / Math.Sqrt(a * a + s * s);
    }

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => M - 1 - NearestIndex(Ratio(process, t));

    /// <summary>The noise levels u_0 (largest) .. u_M = 0.</summary>
    public IReadOnlyList<double> Sigmas => levels;

    /// <summary>The index of the level nearest to a noise level.</summary>
    public int NearestIndex(double sigma)
    {
        int best = 0;
        for (int j = 1; j <= M; j++)
            if (Math.Abs(levels[j] - sigma) < Math.Abs(levels[best] - sigma)) best = j;
        return best;
    }

    // u_(j−1)² = (u_j² + 1)/max(ᾱ_(j−1)/ᾱ_j, C1) − 1
    internal static double[] Levels(double c1, int m, Func<int, double> alphaBar)
    {
        var u = new double[m + 1];
        for (int j = m; j > 0; j--)
            u[j - 1] = Math.Sqrt((u[j] * u[j] + 1) / Math.Max(alphaBar(j - 1) / alphaBar(j), c1) - 1);
        return u;
    }
}

/// <summary>
/// The network is told σ itself and predicts the score, dividing by σ on its own (score_sde's NCSN++, diffusers' U-Net with Fourier
/// features; Song &amp; Ermon 2020, technique 3).
/// </summary>
public sealed record SigmaPreconditioning : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Score;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => process.Sigma(t);

    /// <inheritdoc/>
    public override bool IsPlain => true;
}

/// <summary>
/// The network predicts ε and is told γ = −log SNR, on a scale on which [low, high] is [0, scale]: the same meaning under every schedule
/// (Kingma et al. 2021, appendix B).
/// </summary>
/// <param name="Low">γ that is told as 0.</param>
/// <param name="High">γ that is told as <paramref name="Scale"/>.</param>
/// <param name="Scale">1,000, as a table's steps.</param>
public sealed record LogSnrPreconditioning(double Low = -13.3, double High = 5, double Scale = 1000) : Preconditioning
{
    /// <inheritdoc/>
    public override PredictionKind Kind => PredictionKind.Epsilon;

    /// <inheritdoc/>
    public override double Noise(GaussianProcess process, double t) => Scale * (-2 * process.Lambda(t) - Low) / (High - Low);

    /// <summary>The same of γ itself, which gradients pass through.</summary>
    public Tensor Noise(Tensor gamma) => Scale / (High - Low) * (gamma - Low);

    /// <inheritdoc/>
    public override bool IsPlain => true;
}
