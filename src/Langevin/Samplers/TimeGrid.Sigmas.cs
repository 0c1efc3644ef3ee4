using Langevin.Processes;

namespace Langevin.Samplers;

// Grids chosen by noise level: σ here is the noise-to-signal ratio σ/α, so that they serve any process.
public sealed partial class TimeGrid
{
    /// <summary>The times of a list of noise-to-signal ratios σ/α, descending; 0 is clean data.</summary>
    public static TimeGrid FromSigmas(GaussianProcess process, IEnumerable<double> sigmas) =>
        new(sigmas.Select(s => s == 0 ? process.DataTime : process.TimeOfLambda(-Math.Log(s))));

    /// <summary>
    /// Karras' grid (Karras et al. 2022, equation 5): σ^(1/ρ) evenly spaced between the process's largest and smallest noise-to-signal
    /// ratios, and then clean data.
    /// </summary>
    public static TimeGrid Karras(GaussianProcess process, int steps, double rho = 7, double? sigmaMin = null, double? sigmaMax = null)
    {
        var (low, high) = Range(process, sigmaMin, sigmaMax);
        var roots = Betas.Spaced(AtLeastOne(steps), Math.Pow(high, 1 / rho), Math.Pow(low, 1 / rho));
        return FromSigmas(process, roots.Select(r => Math.Pow(r, rho)).Append(0));
    }

    /// <summary>σ evenly spaced in its logarithm (uniform in λ, as DPM-Solver's), and then clean data.</summary>
    public static TimeGrid Exponential(GaussianProcess process, int steps, double? sigmaMin = null, double? sigmaMax = null) =>
        PolyExponential(process, steps, 1, sigmaMin, sigmaMax);

    /// <summary>log σ spaced as the power <paramref name="rho"/> of an even spacing (k-diffusion's "polyexponential"), and then clean data.</summary>
    public static TimeGrid PolyExponential(GaussianProcess process, int steps, double rho = 1, double? sigmaMin = null, double? sigmaMax = null)
    {
        var (low, high) = Range(process, sigmaMin, sigmaMax);
        double from = Math.Log(low), span = Math.Log(high) - from;
        return FromSigmas(process, Betas.Spaced(AtLeastOne(steps), 1, 0).Select(r => Math.Exp(Math.Pow(r, rho) * span + from)).Append(0));
    }

    /// <summary>σ at the quantiles of a Beta(a, b) distribution between the smallest and the largest (Lee et al. 2024), and then clean data.</summary>
    public static TimeGrid Beta(GaussianProcess process, int steps, double a = 0.6, double b = 0.6, double? sigmaMin = null, double? sigmaMax = null)
    {
        var (low, high) = Range(process, sigmaMin, sigmaMax);
        return FromSigmas(process, Betas.Spaced(AtLeastOne(steps), 1, 0).Select(p => low + BetaDistribution.Quantile(p, a, b) * (high - low)).Append(0));
    }

    private static (double Low, double High) Range(GaussianProcess process, double? sigmaMin, double? sigmaMax)
    {
        double low = sigmaMin ?? Ratio(process, process.MinTime), high = sigmaMax ?? Ratio(process, process.MaxTime);
        if (!(low > 0 && high >= low && double.IsFinite(high)))
            throw new ArgumentException($"The grid needs 0 < σ_min ≤ σ_max < ∞, not {low} and {high}; give σ_max where the process ends in pure noise.");
        return (low, high);
    }
}
