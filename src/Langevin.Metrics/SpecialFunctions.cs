using static TorchSharp.torch;

namespace Langevin.Metrics;

/// <summary>Distribution functions that tests need and libtorch lacks.</summary>
internal static class SpecialFunctions
{
    /// <summary>P(|T| ≥ |t|) of Student's t with ν degrees of freedom: I_x(ν/2, ½) at x = ν/(ν + t²).</summary>
    public static double StudentTwoSided(double t, double degrees) =>
        double.IsInfinity(t) ? 0 : RegularisedBeta(degrees / 2, 0.5, degrees / (degrees + t * t), t * t / (degrees + t * t));

    /// <summary>P(|Z| ≥ |z|) of a standard normal.</summary>
    public static double NormalTwoSided(double z)
    {
        using var scope = NewDisposeScope();
        return tensor(Math.Abs(z) / Math.Sqrt(2), float64).erfc().item<double>();
    }

    /// <summary>The regularised incomplete beta function I_x(a, b).</summary>
    /// <param name="a">Positive.</param>
    /// <param name="b">Positive.</param>
    /// <param name="x">From 0 to 1.</param>
    /// <param name="rest">1 − x, given apart so that it keeps its digits when x is near 1.</param>
    public static double RegularisedBeta(double a, double b, double x, double rest)
    {
        if (x <= 0) return 0;
        if (rest <= 0) return 1;
        // The fraction converges fast below the mean; above it I_x(a, b) = 1 − I_{1−x}(b, a).
        if (x > (a + 1) / (a + b + 2)) return 1 - RegularisedBeta(b, a, rest, x);
        double log = a * Math.Log(x) + b * Math.Log(rest) + LogGamma(a + b) - LogGamma(a) - LogGamma(b);
        return Math.Exp(log) / a / Fraction(a, b, x);
    }

    /// <summary>1 + d₁/(1 + d₂/(1 + ...)) (Abramowitz and Stegun 26.5.8) by Lentz's method.</summary>
    private static double Fraction(double a, double b, double x)
    {
        const double tiny = 1e-300;
        double value = 1, c = 1, d = 0;
        for (int k = 1; k < 10_000; k++)
        {
            int m = k / 2;
            double term = k % 2 == 0
                ? m * (b - m) * x / ((a + k - 1) * (a + k))
                : -(a + m) * (a + b + m) * x / ((a + k - 1) * (a + k));
            d = 1 / NotZero(1 + term * d);
            c = NotZero(1 + term / c);
            value *= c * d;
            if (Math.Abs(c * d - 1) < 1e-15) break;
        }
        return value;

        static double NotZero(double v) => Math.Abs(v) < tiny ? tiny : v;
    }

    private static double LogGamma(double x)
    {
        using var scope = NewDisposeScope();
        return tensor(x, float64).lgamma().item<double>();
    }
}
