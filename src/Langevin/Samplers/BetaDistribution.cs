namespace Langevin.Samplers;

/// <summary>The Beta distribution's quantile function.</summary>
internal static class BetaDistribution
{
    /// <summary>x with I_x(a, b) = p, by bisection.</summary>
    public static double Quantile(double p, double a, double b)
    {
        if (p <= 0) return 0;
        if (p >= 1) return 1;
        double low = 0, high = 1;
        for (int i = 0; i < 200 && high > low; i++)
        {
            double x = 0.5 * (low + high);
            if (x <= low || x >= high) break;
            if (Cumulative(x, a, b) < p) low = x; else high = x;
        }
        return 0.5 * (low + high);
    }

    /// <summary>The regularised incomplete beta function I_x(a, b).</summary>
    public static double Cumulative(double x, double a, double b)
    {
        double split = (a + 1) / (a + b + 2), whole = Below(split, a, b) + Below(1 - split, b, a);
        return x <= split ? Below(x, a, b) / whole : 1 - Below(1 - x, b, a) / whole;
    }

    // ∫_0^x u^(a−1) (1−u)^(b−1) du by its continued fraction (Lentz), which converges fast for x ≤ (a+1)/(a+b+2).
    private static double Below(double x, double a, double b)
    {
        double f = 1, c = 1, d = 0;
        for (int i = 0; i < 300; i++)
        {
            int m = i / 2;
            double term = i == 0 ? 1
                : i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / NotZero(1 + term * d);
            c = NotZero(1 + term / c);
            f *= c * d;
            if (Math.Abs(1 - c * d) < 1e-16) break;
        }
        return Math.Pow(x, a) * Math.Pow(1 - x, b) / a * (f - 1);
    }

    private static double NotZero(double x) => Math.Abs(x) < 1e-30 ? 1e-30 : x;
}
