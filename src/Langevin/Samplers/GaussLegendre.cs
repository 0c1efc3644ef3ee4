namespace Langevin.Samplers;

/// <summary>Gauss–Legendre quadrature with 16 points: exact for polynomials to degree 31.</summary>
internal static class GaussLegendre
{
    private const int Points = 16;
    private static readonly (double Node, double Weight)[] Rule = [.. Enumerable.Range(0, Points).Select(Root)];

    /// <summary>∫ f over [a, b].</summary>
    public static double Integrate(Func<double, double> f, double a, double b) =>
        0.5 * (b - a) * Rule.Sum(r => r.Weight * f(0.5 * (a + b) + 0.5 * (b - a) * r.Node));

    // The i-th root of the Legendre polynomial by Newton's method, and its weight.
    private static (double, double) Root(int i)
    {
        double x = Math.Cos(Math.PI * (i + 0.75) / (Points + 0.5)), slope = 0;
        for (int k = 0; k < 100; k++)
        {
            double p = 1, before = 0;
            for (int n = 1; n <= Points; n++) (p, before) = (((2 * n - 1) * x * p - (n - 1) * before) / n, p);
            slope = Points * (x * p - before) / (x * x - 1);
            double move = p / slope;
            x -= move;
            if (Math.Abs(move) < 1e-15) break;
        }
        return (x, 2 / ((1 - x * x) * slope * slope));
    }
}
