namespace Langevin.Processes;

/// <summary>
/// A process given by a table of T steps, n = 0 (least noise) .. T−1, with clean data at n = −1. It is exact at the steps and
/// interpolates between them, so that it is at the same time a continuous process.
/// </summary>
/// <remarks>
/// Variance-preserving tables (DDPM) interpolate log α linearly, as DPM-Solver does; variance-exploding ones (NCSN)
/// log σ linearly (k-diffusion) or σ itself, and σ itself between data and the first level.
/// </remarks>
public sealed class DiscreteProcess : GaussianProcess
{
    private readonly double[] table; // log α (VP) or σ (VE) of step n, at [n + 1]; [0] is clean data
    private readonly bool preserving, logarithmic;

    private DiscreteProcess(double[] table, bool preserving, bool logarithmic = true) =>
        (this.table, this.preserving, this.logarithmic) = (table, preserving, logarithmic);

    /// <summary>The variance-preserving process of a β table (Ho et al. 2020): ᾱ_n = Π (1 − β_i).</summary>
    /// <exception cref="ArgumentException">A β outside [0, 1], or an empty table.</exception>
    public static DiscreteProcess FromBetas(IReadOnlyList<double> betas)
    {
        var table = new double[betas.Count + 1];
        if (betas.Count == 0) throw new ArgumentException("A β table needs at least one step.", nameof(betas));
        for (int i = 0; i < betas.Count; i++)
        {
            if (!(betas[i] is >= 0 and <= 1)) throw new ArgumentException($"β at step {i} is {betas[i]}; it must lie in [0, 1].", nameof(betas));
            table[i + 1] = table[i] + 0.5 * double.LogP1(-betas[i]);
        }
        return new(table, preserving: true);
    }

    /// <summary>The variance-preserving process of a table of ᾱ (the square of α), decreasing.</summary>
    public static DiscreteProcess FromAlphasCumprod(IReadOnlyList<double> alphasCumprod) =>
        new([0, .. alphasCumprod.Select(a => 0.5 * Math.Log(a))], preserving: true);

    /// <summary>The variance-exploding process of a table of noise levels (Song &amp; Ermon 2019), in either order.</summary>
    /// <param name="sigmas">The levels, positive.</param>
    /// <param name="logarithmic">Whether log σ, rather than σ, is linear between levels.</param>
    /// <exception cref="ArgumentException">A level that is not positive, or an empty table.</exception>
    public static DiscreteProcess FromSigmas(IReadOnlyList<double> sigmas, bool logarithmic = true)
    {
        if (sigmas.Count == 0 || !sigmas.All(s => s > 0)) throw new ArgumentException("Noise levels must be positive, and at least one.", nameof(sigmas));
        return new([0, .. sigmas.Order()], preserving: false, logarithmic);
    }

    /// <summary>The process that visits some steps of this one only: the same noise levels in a shorter table.</summary>
    /// <param name="steps">The steps kept, ascending; see <see cref="Respacing"/>.</param>
    /// <exception cref="ArgumentException">No step, a step outside the table, or not ascending.</exception>
    public DiscreteProcess Respaced(IReadOnlyList<int> steps)
    {
        if (steps.Count == 0) throw new ArgumentException("A respaced table needs at least one step.", nameof(steps));
        for (int i = 0; i < steps.Count; i++)
            if (steps[i] < 0 || steps[i] >= Steps || (i > 0 && steps[i] <= steps[i - 1]))
                throw new ArgumentException($"Step {steps[i]} at place {i} does not ascend within 0..{Steps - 1}.", nameof(steps));
        return new([table[0], .. steps.Select(n => table[n + 1])], preserving, logarithmic);
    }

    /// <summary>Number of steps T.</summary>
    public int Steps => table.Length - 1;

    /// <inheritdoc/>
    public override int? StepCount => Steps;

    /// <inheritdoc/>
    public override double DataTime => -1;

    /// <inheritdoc/>
    public override double MinTime => 0;

    /// <inheritdoc/>
    public override double MaxTime => Steps - 1;

    /// <inheritdoc/>
    public override double PriorStd => preserving ? 1 : table[^1];

    /// <summary>β_n = 1 − ᾱ_n/ᾱ_(n−1) of a step.</summary>
    public double Beta(int n) => Transition(n - 1, n).Variance;

    /// <summary>ᾱ_n = α_n² of a step.</summary>
    public double AlphaCumprod(int n) => Math.Exp(2 * LogAlpha(n));

    /// <inheritdoc/>
    public override double LogAlpha(double t) => preserving ? Interpolate(t).Value : 0;

    /// <inheritdoc/>
    public override double Alpha(double t)
    {
        if (!preserving) return 1;
        var (value, _) = Interpolate(t);
        return Math.Exp(value);
    }

    /// <inheritdoc/>
    public override double AlphaDot(double t)
    {
        if (!preserving) return 0;
        var (value, slope) = Interpolate(t);
        return Math.Exp(value) * slope;
    }

    /// <inheritdoc/>
    public override double Sigma(double t)
    {
        var (value, _) = Interpolate(t);
        return preserving ? Math.Sqrt(-double.ExpM1(2 * value)) : value;
    }

    /// <inheritdoc/>
    public override double SigmaDot(double t)
    {
        var (value, slope) = Interpolate(t);
        return preserving ? -Math.Exp(2 * value) * slope / Math.Sqrt(-double.ExpM1(2 * value)) : slope;
    }

    /// <inheritdoc/>
    public override double Drift(double t) => preserving ? Interpolate(t).Slope : 0;

    /// <inheritdoc/>
    public override (double Scale, double Variance) Transition(double s, double t)
    {
        if (!preserving) return base.Transition(s, t);
        // Exact for tiny β, where α_t²/α_s² loses digits.
        double ratio = LogAlpha(t) - LogAlpha(s);
        return (Math.Exp(ratio), -double.ExpM1(2 * ratio));
    }

    // The tabled quantity and its derivative at a real-valued step.
    private (double Value, double Slope) Interpolate(double t)
    {
        double position = Math.Clamp(t, -1, Steps - 1) + 1;
        int low = (int)Math.Min(Math.Floor(position), Steps - 1);
        double share = position - low, a = table[low], b = table[low + 1];
        if (preserving || low == 0 || !logarithmic)
        {
            // A zero-terminal-SNR table ends at log α = −∞: only the step itself is reached, never the interval before it.
            if (double.IsNegativeInfinity(b)) return share == 1 ? (b, double.NegativeInfinity) : (a + Math.Log(1 - share), -1 / (1 - share));
            return (share == 1 ? b : a + share * (b - a), b - a);
        }
        double rate = Math.Log(b / a), value = share == 0 ? a : share == 1 ? b : a * Math.Exp(share * rate);
        return (value, value * rate);
    }
}
