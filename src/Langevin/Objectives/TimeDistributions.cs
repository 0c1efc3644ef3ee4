using Langevin.Processes;

namespace Langevin.Objectives;

/// <summary>Uniform over a table's steps, or over [<see cref="GaussianProcess.MinTime"/>, <see cref="GaussianProcess.MaxTime"/>].</summary>
public sealed record UniformTime : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u) => Array.ConvertAll(u, u => process.StepCount is null
        ? process.MinTime + u * (process.MaxTime - process.MinTime)
        : TimeOfShare(process, u));
}

/// <summary>
/// Uniform in the signal level within a step chosen uniformly: n ~ U{0..T−1}, √ᾱ ~ U[√ᾱ_n, √ᾱ_(n−1)] (Chen et al. 2021, WaveGrad,
/// algorithm 1). A network so trained knows the levels between the steps too, and serves any other table of them.
/// </summary>
public sealed record CellUniformTime : TimeDistribution
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The process is no table, or keeps its signal unscaled.</exception>
    public override double[] Quantiles(GaussianProcess process, double[] u)
    {
        if (process.StepCount is not { } steps || process.Alpha(process.MaxTime) == 1)
            throw new ArgumentException("Signal levels within the steps need a variance-preserving table: DiscreteProcess.FromBetas makes one.", nameof(process));
        return Array.ConvertAll(u, u =>
        {
            int n = Math.Min((int)(u * steps), steps - 1);
            double share = u * steps - n, from = process.LogAlpha(n - 1), to = process.LogAlpha(n);
            if (double.IsNegativeInfinity(to)) return n - 1 + share; // the last step of a table without signal at its end: α itself is linear there
            // log α is linear between steps.
            double level = Math.Exp(from) + share * (Math.Exp(to) - Math.Exp(from));
            return from == to ? n - 1 + share : n - 1 + (Math.Log(level) - from) / (to - from);
        });
    }
}

/// <summary>ln(σ/α) ~ N(mean, std²): EDM's noise levels (Karras et al. 2022, table 1).</summary>
/// <param name="Mean">P_mean.</param>
/// <param name="Std">P_std.</param>
public sealed record LogNormalTime(double Mean = -1.2, double Std = 1.2) : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u) => Array.ConvertAll(CounterRandom.Normal(u), z => OfNormal(process, z));

    /// <summary>The time of a standard normal number.</summary>
    public double OfNormal(GaussianProcess process, double z) => TimeOfRatio(process, Math.Exp(Mean + Std * z));
}

/// <summary>ln(σ/α) logistic, kept to a range of σ/α (the log-logistic densities of k-diffusion).</summary>
/// <param name="Mean">Location of ln(σ/α).</param>
/// <param name="Scale">Scale of ln(σ/α).</param>
/// <param name="Min">Smallest σ/α.</param>
/// <param name="Max">Largest σ/α.</param>
public sealed record LogLogisticTime(double Mean, double Scale, double Min = 0, double Max = double.PositiveInfinity) : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u)
    {
        double low = Share(Min), high = Share(Max);
        return Array.ConvertAll(u, u =>
        {
            double share = low + u * (high - low);
            return TimeOfRatio(process, Math.Exp(Mean + Scale * (Math.Log(share) - double.LogP1(-share))));
        });
    }

    private double Share(double ratio) => 1 / (1 + Math.Exp((Mean - Math.Log(ratio)) / Scale));
}

/// <summary>logit t ~ N(mean, std²) on the span from data to noise (Esser et al. 2024): the middle of a straight path.</summary>
/// <param name="Mean">Mean; negative leans towards data.</param>
/// <param name="Std">Standard deviation.</param>
public sealed record LogitNormalTime(double Mean = 0, double Std = 1) : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u) => Array.ConvertAll(CounterRandom.Normal(u), z => TimeOfShare(process, OfNormal(z)));

    /// <summary>The share of the span for a standard normal number.</summary>
    public double OfNormal(double z) => 1 / (1 + Math.Exp(-Mean - Std * z));
}

/// <summary>Heavy-tailed around the middle of the span: 1 − u − s (cos²(π u/2) − 1 + u) (Esser et al. 2024, "mode").</summary>
/// <param name="Scale">s, from −1 (the ends) over 0 (uniform) to 2/(π − 2) (the middle).</param>
public sealed record ModeTime(double Scale = 1.29) : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u) => Array.ConvertAll(u, u => TimeOfShare(process, Of(1 - u)));

    /// <summary>The share of the span for a uniform number, falling from 1 to 0.</summary>
    public double Of(double u) => 1 - u - Scale * (Math.Pow(Math.Cos(0.5 * Math.PI * u), 2) - 1 + u);
}

/// <summary>
/// The log-SNR of a cosine schedule shifted to the resolution of the noise, interpolated between two such resolutions
/// (Hoogeboom et al. 2023, "simple diffusion"), uniform in the schedule's time.
/// </summary>
/// <param name="Size">Resolution of the data.</param>
/// <param name="NoiseLow">Resolution the schedule is shifted to at the large noise levels.</param>
/// <param name="NoiseHigh">The same at the small ones.</param>
/// <param name="SigmaData">Standard deviation of the data.</param>
/// <param name="Min">Smallest σ/α.</param>
/// <param name="Max">Largest σ/α.</param>
public sealed record InterpolatedCosineTime(double Size, double NoiseLow = 32, double NoiseHigh = 64, double SigmaData = 1,
    double Min = 1e-3, double Max = 1e3) : TimeDistribution
{
    /// <inheritdoc/>
    public override double[] Quantiles(GaussianProcess process, double[] u) => Array.ConvertAll(u, u =>
    {
        double low = LogSnr(u, NoiseLow), high = LogSnr(u, NoiseHigh);
        return TimeOfRatio(process, SigmaData * Math.Exp(-0.5 * (high + u * (low - high))));
    });

    private double LogSnr(double u, double noiseSize)
    {
        double shift = 2 * Math.Log(noiseSize / Size);
        double start = Angle(Min, shift), end = Angle(Max, shift);
        return -2 * Math.Log(Math.Tan(start + u * (end - start))) + shift;
    }

    // arctan e^(−logSNR/2) of a noise level, before the shift.
    private double Angle(double ratio, double shift) => Math.Atan(ratio / SigmaData * Math.Exp(0.5 * shift));
}
