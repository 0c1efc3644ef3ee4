using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// Noise levels and steps of annealed Langevin dynamics, chosen from the data (Song &amp; Ermon 2020, techniques 1, 2 and 4).
/// </summary>
/// <param name="Sigmas">σ_1 &gt; … &gt; σ_L, a geometric sequence.</param>
/// <param name="Steps">Steps T at each level.</param>
/// <param name="Epsilon">Step size ε at σ_L.</param>
public sealed record LangevinDesign(IReadOnlyList<double> Sigmas, int Steps, double Epsilon)
{
    /// <summary>A design for data: σ_1 is their largest distance, the ratio follows from their dimension, ε from T.</summary>
    /// <param name="data">[N, ...], N at least 2.</param>
    /// <param name="smallest">σ_L, below what can be seen in the data.</param>
    /// <param name="steps">T.</param>
    /// <exception cref="ArgumentException">σ_L is not between 0 and σ_1, or the samples have fewer than five numbers each.</exception>
    public static LangevinDesign For(Tensor data, double smallest, int steps)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Between(LargestDistance(data), smallest, Ratio(data.numel() / data.shape[0]), steps);
    }

    /// <summary>A design whose levels reach from one noise level to another by about a given ratio, with the best ε.</summary>
    /// <param name="largest">σ_1.</param>
    /// <param name="smallest">σ_L.</param>
    /// <param name="ratio">γ = σ_{i−1}/σ_i at most.</param>
    /// <param name="steps">T.</param>
    public static LangevinDesign Between(double largest, double smallest, double ratio, int steps)
    {
        if (!(smallest > 0 && smallest < largest)) throw new ArgumentException($"Noise levels from {largest} to {smallest}: the last must be positive and below the first.", nameof(smallest));
        if (!(ratio > 1)) throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The ratio of noise levels must be above 1.");
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        int levels = Math.Max(2, 1 + (int)Math.Ceiling(Math.Log(largest / smallest) / Math.Log(ratio) - 1e-9));
        double actual = Math.Pow(largest / smallest, 1.0 / (levels - 1));
        return new(Betas.GeometricSigmas(levels, largest, smallest), steps, BestStep(actual, steps) * smallest * smallest);
    }

    /// <summary>The sampler.</summary>
    public AnnealedLangevin Sampler => new(Epsilon, Steps);

    /// <summary>Denoiser evaluations of a run, without the last denoising.</summary>
    public int Evaluations => Sigmas.Count * Steps;

    /// <summary>Technique 1: the largest distance of two samples, below which Langevin steps at σ_1 do not pass between all of them.</summary>
    /// <param name="data">[N, ...], N at least 2.</param>
    public static double LargestDistance(Tensor data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.dim() < 2 || data.shape[0] < 2) throw new ArgumentException($"Samples [{string.Join(", ", data.shape)}] have no distances: give [N, ...] with N at least 2.", nameof(data));
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var flat = data.flatten(1).to(ScalarType.Float64);
        double largest = 0;
        foreach (var rows in flat.split(512)) largest = Math.Max(largest, cdist(rows, flat).max().item<double>());
        return largest;
    }

    /// <summary>
    /// Technique 2: the ratio γ at which neighbouring levels overlap by a half. In D dimensions N(0, σ² I) lies within
    /// √D σ ± 3 σ/√2, so that Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ) = 1/2.
    /// </summary>
    /// <param name="dimensions">D, at least 5: in fewer all levels overlap.</param>
    public static double Ratio(long dimensions)
    {
        if (dimensions < 5) throw new ArgumentOutOfRangeException(nameof(dimensions), dimensions, "Below five dimensions noise levels overlap by more than a half whatever their ratio: choose it yourself.");
        double low = 1, high = 2;
        while (Overlap(dimensions, high) > 0.5) high *= 2;
        for (int i = 0; i < 80; i++)
        {
            double middle = 0.5 * (low + high);
            if (Overlap(dimensions, middle) > 0.5) low = middle;
            else high = middle;
        }
        return 0.5 * (low + high);
    }

    /// <summary>Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ).</summary>
    public static double Overlap(long dimensions, double ratio)
    {
        double centre = Math.Sqrt(2.0 * dimensions) * (ratio - 1);
        using var scope = NewDisposeScope();
        return (0.5 * special.erf(tensor([centre + 3 * ratio, centre - 3 * ratio]) / Math.Sqrt(2))).diff().neg().item<double>();
    }

    /// <summary>
    /// Proposition 3: s_T²/σ_i² = (1 − η)^{2T} (γ² − c) + c with c = 2η/(1 − (1 − η)²): the variance after T steps of relative size
    /// η = ε/σ_L² at σ_i, begun with that of σ_{i−1} = γ σ_i, where all data are one point.
    /// </summary>
    public static double VarianceRatio(double ratio, double relativeStep, int steps)
    {
        double kept = Math.Pow(1 - relativeStep, 2 * steps), settled = 2 / (2 - relativeStep);
        return kept * (ratio * ratio - settled) + settled;
    }

    /// <summary>Technique 4: the relative step η in (0, 1) whose variance ratio, never below 1, is nearest to it.</summary>
    public static double BestStep(double ratio, int steps)
    {
        // One minimum: what is left of γ² falls with η, the step's own error grows. Searched in log η by golden section.
        double golden = (Math.Sqrt(5) - 1) / 2, low = Math.Log(1e-9), high = 0;
        for (int i = 0; i < 100; i++)
        {
            double a = high - golden * (high - low), b = low + golden * (high - low);
            if (VarianceRatio(ratio, Math.Exp(a), steps) < VarianceRatio(ratio, Math.Exp(b), steps)) high = b;
            else low = a;
        }
        return Math.Exp(0.5 * (low + high));
    }
}
