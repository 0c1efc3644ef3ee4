using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>UniPC's choices of B(h) (Zhao et al. 2023).</summary>
public enum UniPcVariant
{
    /// <summary>B = h.</summary>
    Bh1,

    /// <summary>B = e^h − 1, the usual choice.</summary>
    Bh2,

    /// <summary>
    /// The coefficients of all orders, varying with the steps. Its corrector is the authors' code's, which takes one term of a sum: with
    /// it the order is 1, without it the predictor's.
    /// </summary>
    VaryingCoefficients,
}

/// <summary>
/// UniPC (Zhao et al. 2023): a multistep predictor of any order, and a corrector that uses the evaluation of the next step for
/// nothing, so that order p costs one evaluation a step. Steps to clean data are of order 1.
/// </summary>
/// <param name="Order">Order of the predictor, ≥ 1; the corrected solution has one more.</param>
/// <param name="PredictsNoise">Whether ε̂ is integrated instead of x̂_0.</param>
/// <param name="Variant">B(h).</param>
public sealed record UniPc(int Order = 2, bool PredictsNoise = false, UniPcVariant Variant = UniPcVariant.Bh2) : Sampler
{
    /// <summary>Whether the last steps are of lower order, which is safer in few steps.</summary>
    public bool LowersOrderAtEnd { get; init; } = true;

    /// <summary>Whether there is a corrector.</summary>
    public bool Corrects { get; init; } = true;

    /// <summary>Steps, by their index, whose result is not corrected.</summary>
    public IReadOnlyList<int> Uncorrected { get; init; } = [];

    /// <inheritdoc/>
    public override Step Begin(SamplingRun run)
    {
        if (Order < 1) throw new ArgumentOutOfRangeException(nameof(Order), Order, "UniPC's order is at least 1.");
        var past = new SolverHistory(run, Order);
        Tensor? from = null; // where the step before began
        double before = 0;
        int order = 0;
        return (x, t, s) =>
        {
            var said = run.Denoise(x, t);
            var value = PredictsNoise ? said.Epsilon : said.X0;
            if (from is not null && Corrects && !Uncorrected.Contains(run.Index - 1) && run.Process.Alpha(before) > 0)
                x = Solve(new(run.Process, before, t, PredictsNoise), from, past, order, value);
            past.Add(run.Process.Lambda(t), value);
            (from, before) = (run.Keep(x, from), t);
            order = LowersOrderAtEnd ? Math.Min(past.Usable, run.Grid.Steps - run.Index) : past.Usable;
            var step = new ExponentialStep(run.Process, t, s, PredictsNoise);
            return Solve(step, x, past, double.IsInfinity(step.H) || step.H == 0 ? 1 : order, null);
        };
    }

    // Predictor, or with the value at the step's end corrector.
    private Tensor Solve(ExponentialStep step, Tensor x, SolverHistory past, int order, Tensor? end)
    {
        var (lambda, value) = past[0];
        var next = step.Scale * x + step.Gain0 * value;
        if (order == 1 && end is null) return next;
        double[] ratios = [.. Enumerable.Range(1, order - 1).Select(i => (past[i].Lambda - lambda) / step.H), 1];
        var weights = Variant == UniPcVariant.VaryingCoefficients ? Varying(step, ratios, end is not null) : Fixed(step, ratios, end is not null);
        for (int i = 1; i < order; i++) next -= weights[i - 1] * ((past[i].Value - value) / ratios[i - 1]);
        return end is null ? next : next - weights[^1] * (end - value);
    }

    // h φ_(k+1)(h) of the paper, k = 1, 2, ...
    private double[] Phi(double h, int count)
    {
        double hh = PredictsNoise ? h : -h, phi = double.ExpM1(hh);
        var values = new double[count];
        for (int k = 0; k < count; k++) values[k] = phi = phi / hh - 1 / Factorial(k + 1);
        return values;
    }

    private static double Factorial(int n) => n < 2 ? 1 : n * Factorial(n - 1);

    // Outer · B(h) ρ, where the ρ solve Σ_j r_j^(i−1) ρ_j = i! h φ_(i+1)/B.
    private double[] Fixed(ExponentialStep step, double[] ratios, bool corrects)
    {
        double hh = PredictsNoise ? step.H : -step.H, b = Variant == UniPcVariant.Bh1 ? hh : double.ExpM1(hh);
        int n = corrects ? ratios.Length : ratios.Length - 1;
        double outer = Math.Abs(step.Outer) * b;
        if (n == 1) return [0.5 * outer]; // the same order, simpler
        var phi = Phi(step.H, n);
        var powers = new double[n, n];
        var right = new double[n];
        for (int i = 0; i < n; i++)
        {
            right[i] = Factorial(i + 1) * phi[i] / b;
            for (int j = 0; j < n; j++) powers[i, j] = Math.Pow(ratios[j], i);
        }
        return [.. LinearSystem.Solve(powers, right).Select(rho => outer * rho)];
    }

    // Outer · Σ_k h φ_(k+1) (C⁻¹)_kj with C_jk = r_j^(k−1)/k!. The corrector's own weight is the published code's: one term of the sum.
    private double[] Varying(ExponentialStep step, double[] ratios, bool corrects)
    {
        int n = corrects ? ratios.Length : ratios.Length - 1;
        double outer = Math.Abs(step.Outer);
        var phi = Phi(step.H, ratios.Length);
        var transposed = new double[n, n];
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++) transposed[k, j] = Math.Pow(ratios[j], k) / Factorial(k + 1);
        if (!corrects) return [.. LinearSystem.Solve(transposed, phi[..n]).Select(w => outer * w)];
        double[] known = [.. phi[..(n - 1)], 0], unit = new double[n];
        unit[Math.Max(n - 2, 0)] = 1;
        double[] weights = LinearSystem.Solve(transposed, known);
        weights[^1] = phi[n - 1] * LinearSystem.Solve(transposed, unit)[^1];
        return [.. weights.Select(w => outer * w)];
    }
}
