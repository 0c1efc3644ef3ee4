using Langevin.Processes;
using static TorchSharp.torch;

namespace Langevin.Samplers;

/// <summary>
/// One step from t to s in half log-SNR λ, with the linear part exact (Lu et al. 2022, proposition 3.1; Xue et al. 2023,
/// proposition 4.1): x_s = scale · x_t + Σ_k gain_k f⁽ᵏ⁾(λ_t) + noise · z, where f is x̂_0 or ε̂ as a polynomial in λ.
/// </summary>
/// <remarks>
/// η is the share of the reverse SDE: 0 is the probability flow, 1 the SDE of Song et al.; SA-Solver's τ² and k-diffusion's eta.
/// A step to clean data or out of pure noise has h = ∞ and only gain_0.
/// </remarks>
internal readonly struct ExponentialStep
{
    private readonly double rate, outer;
    private readonly bool ofNoise;

    public ExponentialStep(GaussianProcess process, double t, double s, bool ofNoise = false, double eta = 0)
    {
        (this.ofNoise, rate) = (ofNoise, 1 + eta);
        double at = process.Alpha(t), st = process.Sigma(t), alpha = process.Alpha(s), sigma = process.Sigma(s);
        From = process.Lambda(t);
        H = t == s ? 0 : process.Lambda(s) - From;
        if (ofNoise)
        {
            outer = sigma;
            Scale = alpha / at;
            // σ_s (e^h − 1), finite also where σ_s = 0.
            Gain0 = -rate * (double.IsInfinity(H) ? alpha * st / at - sigma : sigma * double.ExpM1(H));
            Noise = eta > 0 ? Math.Sqrt(eta) * (double.IsInfinity(H) ? alpha * st / at : sigma * Math.Sqrt(double.ExpM1(2 * H))) : 0;
        }
        else
        {
            outer = alpha;
            Scale = sigma / st * (eta > 0 ? Math.Exp(-eta * H) : 1);
            Gain0 = -alpha * double.ExpM1(-rate * H);
            Noise = eta > 0 ? sigma * Math.Sqrt(-double.ExpM1(-2 * eta * H)) : 0;
        }
        if (double.IsNaN(Noise))
            throw new ArgumentException($"A stochastic solver steps from noise to data; the step from time {t} to {s} goes the other way. Invert with η = 0.");
    }

    /// <summary>λ_t.</summary>
    public double From { get; }

    /// <summary>h = λ_s − λ_t.</summary>
    public double H { get; }

    /// <summary>Factor of x_t.</summary>
    public double Scale { get; }

    /// <summary>Factor of f(λ_t).</summary>
    public double Gain0 { get; }

    /// <summary>Standard deviation of the fresh noise.</summary>
    public double Noise { get; }

    /// <summary>What the gains are multiples of: α_s for x̂_0, −(1 + η) σ_s for ε̂.</summary>
    public double Outer => ofNoise ? -rate * outer : outer;

    /// <summary>gain_k, k ≤ 3, by integration by parts.</summary>
    public double Gain(int k)
    {
        double gain = Gain0, term = 1;
        for (int j = 1; j <= k; j++)
        {
            term *= H / j;
            gain = ofNoise ? gain + rate * outer * term : outer * term - gain / rate;
        }
        return gain;
    }

    /// <summary>
    /// The weights of values of f at some λ's: the step is exact for the polynomial through them (Adams–Bashforth, and where one λ
    /// lies at the end Adams–Moulton).
    /// </summary>
    public double[] Weights(ReadOnlySpan<double> lambdas)
    {
        int n = lambdas.Length;
        if (n == 1) return [Gain0];
        var powers = new double[n, n]; // of each λ − λ_t: the rows give Σ_i w_i (λ_i − λ_t)^j = j! gain_j
        var moments = new double[n];
        double factorial = 1;
        for (int j = 0; j < n; j++)
        {
            factorial *= Math.Max(1, j);
            moments[j] = factorial * Gain(j);
            for (int i = 0; i < n; i++) powers[j, i] = Math.Pow(lambdas[i] - From, j);
        }
        return LinearSystem.Solve(powers, moments);
    }
}

/// <summary>What a multistep solver remembers of one run: the last values of f and their λ, newest first.</summary>
internal sealed class SolverHistory(SamplingRun run, int size)
{
    private readonly List<(double Lambda, Tensor Value)> past = [];

    public int Count => past.Count;

    /// <summary>How many of the last values lie at a finite λ, and the newest in any case: pure noise (λ = −∞) is no node of a polynomial.</summary>
    public int Usable => Math.Max(Math.Min(1, Count), past.TakeWhile(p => double.IsFinite(p.Lambda)).Count());

    public (double Lambda, Tensor Value) this[int i] => past[i];

    /// <summary>Remembers a value, and forgets the oldest when there are too many.</summary>
    public void Add(double lambda, Tensor value)
    {
        Tensor? forgotten = null;
        if (past.Count == size)
        {
            forgotten = past[^1].Value;
            past.RemoveAt(size - 1);
        }
        past.Insert(0, (lambda, run.Keep(value, forgotten)));
    }

    /// <summary>The divided difference of neighbours i and j: (f_i − f_j)/(λ_i − λ_j).</summary>
    public Tensor Slope(int i, int j) => (past[i].Value - past[j].Value) / (past[i].Lambda - past[j].Lambda);
}

/// <summary>Linear systems of a few unknowns.</summary>
internal static class LinearSystem
{
    /// <summary>x with A x = b, by elimination with pivots.</summary>
    public static double[] Solve(double[,] a, double[] b)
    {
        int n = b.Length;
        var (m, x) = ((double[,])a.Clone(), (double[])b.Clone());
        for (int k = 0; k < n; k++)
        {
            int pivot = Enumerable.Range(k, n - k).MaxBy(i => Math.Abs(m[i, k]));
            for (int j = 0; j < n; j++) (m[k, j], m[pivot, j]) = (m[pivot, j], m[k, j]);
            (x[k], x[pivot]) = (x[pivot], x[k]);
            for (int i = 0; i < n; i++)
            {
                if (i == k) continue;
                double factor = m[i, k] / m[k, k];
                for (int j = k; j < n; j++) m[i, j] -= factor * m[k, j];
                x[i] -= factor * x[k];
            }
        }
        for (int k = 0; k < n; k++) x[k] /= m[k, k];
        return x;
    }
}
