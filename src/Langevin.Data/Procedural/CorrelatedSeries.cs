using static TorchSharp.torch;

namespace Langevin.Data.Procedural;

/// <summary>
/// Series of eight features over 24 times that swing together, with gaps: Gaussian, of known covariance, so that what the gaps may hold is known
/// exactly. Series i is a pure function of the seed and i.
/// </summary>
/// <remarks>
/// Feature k at time t is Σ_m a_km s_m(t) + √(1 − |a_k|²) e_k(t), of variance 1: three common oscillations s_m with the autocorrelation
/// φ^τ cos(2π τ/P), and one of its own, e_k, with ½^τ.
/// </remarks>
public static class CorrelatedSeries
{
    /// <summary>Features K and times L.</summary>
    public const int Features = 8, Length = 24;

    private const double Shared = 0.9; // share of a feature's variance that the common oscillations have
    private const int Outage = 8;
    private const long Stream = 0x47_54_53;
    private static readonly (double Period, double Decay)[] Oscillations = [(24, 0.99), (9, 0.97), (5, 0.95)];
    private static readonly double[,] Loadings = MakeLoadings();
    private static readonly double[,] Root = Cholesky(MakeCovariance());

    /// <summary>
    /// Makes series. A share of each, between a tenth and nine tenths, was never recorded; of what was, a fifth is kept back, and all of one
    /// feature's for eight times together, as when a sensor fails.
    /// </summary>
    /// <param name="count">How many, 1 to 1,000,000.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="first">Index of the first.</param>
    /// <returns>Their values everywhere, what was recorded, and what is given.</returns>
    public static PartialSeries Create(int count, long seed = 0, long first = 0)
    {
        if (count is < 1 or > 1_000_000) throw new ArgumentOutOfRangeException(nameof(count), count, "There can be 1 to 1,000,000 series.");
        int size = Features * Length;
        float[] values = new float[count * size], observed = new float[values.Length], given = new float[values.Length];
        Parallel.For(0, count, i =>
        {
            var random = new SeededRandom(seed, Stream, first + i);
            var z = new double[size];
            for (int a = 0; a < size; a++)
            {
                z[a] = random.Normal();
                double sum = 0;
                for (int b = 0; b <= a; b++) sum += Root[a, b] * z[b];
                values[i * size + a] = (float)sum;
            }
            double missing = random.Uniform(0.1, 0.9);
            int feature = random.Next(Features), start = random.Next(Length - Outage + 1);
            for (int a = 0; a < size; a++)
            {
                bool recorded = random.NextDouble() >= missing, keptBack = random.NextDouble() < 0.2;
                keptBack |= a / Length == feature && a % Length >= start && a % Length < start + Outage;
                observed[i * size + a] = recorded ? 1 : 0;
                given[i * size + a] = recorded && !keptBack ? 1 : 0;
            }
        });
        using var scope = NewDisposeScope();
        Tensor Shaped(float[] flat) => tensor(flat).view(count, Features, Length);
        return new("correlated-series", Shaped(values), Shaped(observed), Shaped(given), [.. Enumerable.Range(1, Features).Select(k => $"feature {k}")]);
    }

    /// <summary>The covariance of a series, float64 [K L, K L], feature by feature; the caller's.</summary>
    public static Tensor Covariance() => tensor(MakeCovariance());

    /// <summary>What is known of each value once some are given: the exact posterior's mean and standard deviation, 0 where a value is given.</summary>
    /// <param name="values">[N, K, L].</param>
    /// <param name="given">1 where a value is given, 0 elsewhere.</param>
    /// <returns>float64 [N, K, L] each.</returns>
    public static (Tensor Mean, Tensor Std) Posterior(Tensor values, Tensor given)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(given);
        using var scope = NewDisposeScope();
        long n = values.shape[0];
        var m = given.flatten(1).to(ScalarType.Float64);
        var x = (values.flatten(1).to(ScalarType.Float64) * m).unsqueeze(2);
        var covariance = Covariance().unsqueeze(0);
        // M Σ M + (I − M) is Σ of what is given, and 1 elsewhere: one solve serves all patterns.
        var known = m.unsqueeze(1) * m.unsqueeze(2) * covariance + diag_embed(1 - m);
        var across = covariance * m.unsqueeze(1); // [N, all, given]
        var gain = cholesky_solve(across.transpose(1, 2).contiguous(), linalg.cholesky(known)).transpose(1, 2);
        var mean = gain.bmm(x).squeeze(2);
        var variance = covariance.squeeze(0).diagonal() - (gain * across).sum(2);
        return (mean.view(values.shape).MoveToOuterDisposeScope(), (variance.clamp_min(0) * (1 - m)).sqrt().view(n, Features, Length).MoveToOuterDisposeScope());
    }

    private static double[,] MakeLoadings()
    {
        var random = new SeededRandom(7, Stream);
        var a = new double[Features, Oscillations.Length];
        for (int k = 0; k < Features; k++)
        {
            double square = 0;
            for (int m = 0; m < Oscillations.Length; m++) square += Math.Pow(a[k, m] = random.Normal(), 2);
            for (int m = 0; m < Oscillations.Length; m++) a[k, m] *= Math.Sqrt(Shared / square);
        }
        return a;
    }

    private static double[,] MakeCovariance()
    {
        var c = new double[Features * Length, Features * Length];
        for (int i = 0; i < Features * Length; i++)
            for (int j = 0; j < Features * Length; j++)
            {
                int k = i / Length, l = j / Length, lag = Math.Abs(i % Length - j % Length);
                for (int m = 0; m < Oscillations.Length; m++)
                    c[i, j] += Loadings[k, m] * Loadings[l, m] * Math.Pow(Oscillations[m].Decay, lag) * Math.Cos(2 * Math.PI * lag / Oscillations[m].Period);
                if (k == l) c[i, j] += (1 - Shared) * Math.Pow(0.5, lag);
            }
        return c;
    }

    // In managed code: series are the same on every machine.
    private static double[,] Cholesky(double[,] c)
    {
        int n = c.GetLength(0);
        var root = new double[n, n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = c[i, j];
                for (int k = 0; k < j; k++) sum -= root[i, k] * root[j, k];
                root[i, j] = i == j ? Math.Sqrt(sum) : sum / root[j, j];
            }
        return root;
    }
}
