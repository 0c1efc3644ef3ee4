using System.Numerics;

namespace Langevin.Processes;

/// <summary>The β tables and noise levels of the literature, all in double.</summary>
public static class Betas
{
    /// <summary>Linear from <paramref name="start"/> to <paramref name="end"/> (Ho et al. 2020).</summary>
    public static double[] Linear(int steps = 1000, double start = 1e-4, double end = 0.02) => Spaced(steps, start, end);

    /// <summary>Linear in √β (latent diffusion; "scaled_linear").</summary>
    public static double[] ScaledLinear(int steps = 1000, double start = 0.00085, double end = 0.012) =>
        Array.ConvertAll(Spaced(steps, Math.Sqrt(start), Math.Sqrt(end)), b => b * b);

    /// <summary>Linear, scaled so that any number of steps corrupts as 1,000 steps of 1e-4..0.02 do (guided diffusion).</summary>
    public static double[] GuidedLinear(int steps) => Spaced(steps, 0.1 / steps, 20.0 / steps);

    /// <summary>The cosine ᾱ of Nichol &amp; Dhariwal 2021, β capped at <paramref name="maxBeta"/>.</summary>
    public static double[] Cosine(int steps = 1000, double maxBeta = 0.999) =>
        FromAlphaBar(steps, t => Math.Pow(Math.Cos((t + 0.008) / 1.008 * Math.PI / 2), 2), maxBeta);

    /// <summary>Sigmoid between <paramref name="start"/> and <paramref name="end"/>, the argument running over [−6, 6].</summary>
    public static double[] Sigmoid(int steps = 1000, double start = 1e-4, double end = 0.02) =>
        Array.ConvertAll(Spaced(steps, -6, 6), x => (end - start) / (1 + Math.Exp(-x)) + start);

    /// <summary>ᾱ falling as a sigmoid over [<paramref name="start"/>, <paramref name="end"/>] (Jabri et al. 2022).</summary>
    public static double[] SigmoidAlphaBar(int steps = 1000, double start = -3, double end = 3, double temperature = 1, double maxBeta = 0.999)
    {
        double Sigmoid(double x) => 1 / (1 + Math.Exp(-x / temperature));
        return FromAlphaBar(steps, t => (Sigmoid(end) - Sigmoid(start + t * (end - start))) / (Sigmoid(end) - Sigmoid(start)), maxBeta);
    }

    /// <summary>ᾱ(t) = exp(−12 t) ("exp").</summary>
    public static double[] Exponential(int steps = 1000, double maxBeta = 0.999) => FromAlphaBar(steps, t => Math.Exp(-12 * t), maxBeta);

    /// <summary>ᾱ from a Laplace-distributed log-SNR ("laplace").</summary>
    public static double[] Laplace(int steps = 1000, double maxBeta = 0.999) => FromAlphaBar(steps, t =>
    {
        double lambda = -0.5 * Math.CopySign(1, 0.5 - t) * Math.Log(1 - 2 * Math.Abs(0.5 - t) + 1e-6), snr = Math.Exp(lambda);
        return Math.Sqrt(snr / (1 + snr));
    }, maxBeta);

    /// <summary>β_n = min(1 − ᾱ((n+1)/T)/ᾱ(n/T), maxBeta) for any ᾱ on [0, 1].</summary>
    public static double[] FromAlphaBar(int steps, Func<double, double> alphaBar, double maxBeta = 0.999)
    {
        var betas = new double[Positive(steps)];
        for (int i = 0; i < steps; i++) betas[i] = Math.Min(1 - alphaBar((i + 1.0) / steps) / alphaBar((double)i / steps), maxBeta);
        return betas;
    }

    /// <summary>
    /// Shifts and scales √ᾱ so that the last step has no signal at all (Lin et al. 2024, "zero terminal SNR").
    /// </summary>
    public static double[] RescaleZeroTerminalSnr(IReadOnlyList<double> betas)
    {
        var root = new double[betas.Count];
        double product = 1;
        for (int i = 0; i < root.Length; i++) root[i] = Math.Sqrt(product *= 1 - betas[i]);
        return BetasOfRescaled(root);
    }

    // From √ᾱ, in any precision: published tables were made in single.
    internal static T[] BetasOfRescaled<T>(T[] root) where T : IFloatingPointIeee754<T>
    {
        T first = root[0], last = root[^1];
        T[] scaled = Array.ConvertAll(root, r => (r - last) * (first / (first - last)));
        return [.. scaled.Select((r, i) => T.One - (i == 0 ? r * r : r * r / (scaled[i - 1] * scaled[i - 1])))];
    }

    /// <summary>NCSN's geometric noise levels, descending from <paramref name="begin"/> to <paramref name="end"/> (Song &amp; Ermon 2019).</summary>
    public static double[] GeometricSigmas(int levels, double begin, double end) =>
        Array.ConvertAll(Spaced(levels, Math.Log(begin), Math.Log(end)), Math.Exp);

    /// <summary><paramref name="count"/> evenly spaced numbers, both ends included and exact.</summary>
    internal static double[] Spaced(int count, double start, double end)
    {
        var values = new double[Positive(count)];
        double step = (end - start) / Math.Max(1, count - 1);
        for (int i = 0; i < count; i++) values[i] = start + i * step;
        if (count > 1) values[^1] = end;
        return values;
    }

    private static int Positive(int steps) => steps > 0 ? steps : throw new ArgumentOutOfRangeException(nameof(steps), steps, "A schedule needs at least one step.");
}
