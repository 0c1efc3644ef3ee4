namespace Langevin.Training;

/// <summary>
/// Mathematics of power-function averages and their reconstruction after training (Karras et al. 2024, EDM2, section 3 and
/// appendix C): an average at time T weighs the parameters of time t by p(t) = (γ+1)·t^γ / T^(γ+1).
/// </summary>
public static class PowerProfile
{
    /// <summary>Width of the flat profile (γ = 0), the largest there is: 1/√12.</summary>
    public static readonly double MaxWidth = 1 / Math.Sqrt(12);

    /// <summary>Relative standard deviation of the profile with exponent γ: σ² = (γ+1) / ((γ+2)²(γ+3)).</summary>
    /// <param name="exponent">γ, at least 0.</param>
    public static double Width(double exponent) =>
        exponent >= 0 ? Math.Sqrt((exponent + 1) / ((exponent + 2) * (exponent + 2) * (exponent + 3)))
            : throw new ArgumentOutOfRangeException(nameof(exponent), exponent, "The exponent of a power profile must be at least 0.");

    /// <summary>
    /// The exponent γ of a relative standard deviation σ: the root of γ³ + 7γ² + (16 − σ⁻²)γ + 12 − σ⁻² that is at least 0.
    /// </summary>
    /// <param name="width">σ in (0, 1/√12].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="width"/> is out of its range.</exception>
    public static double Exponent(double width)
    {
        if (!(width > 0 && width <= MaxWidth))
            throw new ArgumentOutOfRangeException(nameof(width), width, "The width of a power profile must lie in (0, 0.2886].");
        double q = 1 / (width * width);
        // Newton from the right of the root, where the cubic is convex and rising: it falls to the root monotonically.
        double g = 1 / width + 1;
        for (int i = 0; i < 100; i++)
        {
            double value = ((g + 7) * g + 16 - q) * g + 12 - q, slope = (3 * g + 14) * g + 16 - q;
            double next = g - value / slope;
            if (!(next < g)) break;
            g = next;
        }
        return Math.Max(g, 0);
    }

    /// <summary>β of one update: (1 − Δ/t)^(γ+1).</summary>
    /// <param name="exponent">γ.</param>
    /// <param name="time">Time t after the update, at least <paramref name="delta"/>.</param>
    /// <param name="delta">Time Δ since the last update, in the same unit.</param>
    public static double Decay(double exponent, double time, double delta) => Math.Pow(1 - delta / time, exponent + 1);

    /// <summary>The profile sampled at t = 0 … count−1 for an average at time <paramref name="end"/>, with sum 1.</summary>
    /// <param name="exponent">γ.</param>
    /// <param name="end">Time of the average, above 0; later times weigh nothing.</param>
    /// <param name="count">Number of times, above 0.</param>
    public static double[] Response(double exponent, double end, int count)
    {
        double[] p = [.. Enumerable.Range(0, count).Select(t => t <= end ? Math.Pow(t / end, exponent) : 0)];
        double sum = p.Sum();
        return [.. p.Select(v => v / sum)];
    }

    /// <summary>∫ p_a p_b dt of two profiles: both are powers up to the earlier end.</summary>
    public static double Overlap(double endA, double widthA, double endB, double widthB)
    {
        double a = Exponent(widthA), b = Exponent(widthB), first = Math.Min(endA, endB);
        // In logarithms of ratios, since the powers themselves overflow.
        return (a + 1) * (b + 1) / (a + b + 1) / first
            * Math.Exp((a + 1) * Math.Log(first / endA) + (b + 1) * Math.Log(first / endB));
    }

    /// <summary>
    /// Weights that combine stored averages into the least-squares approximation of another one, scaled to the sum 1
    /// (section 3.2): with A the overlaps among the stored ones and b those with the wanted one, A·x = b.
    /// </summary>
    /// <param name="stored">Times and widths of the stored averages, all different.</param>
    /// <param name="wantedTime">Time of the wanted average.</param>
    /// <param name="wantedWidth">Its width.</param>
    /// <exception cref="ArgumentException">No averages, or two are the same.</exception>
    public static double[] Combination(IReadOnlyList<(double Time, double Width)> stored, double wantedTime, double wantedWidth)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (stored.Count == 0) throw new ArgumentException("There are no stored averages to combine.", nameof(stored));
        if (stored.Distinct().Count() != stored.Count) throw new ArgumentException("Two stored averages have the same time and width.", nameof(stored));
        int n = stored.Count;
        var a = new double[n, n];
        var x = new double[n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) a[i, j] = Overlap(stored[i].Time, stored[i].Width, stored[j].Time, stored[j].Width);
            x[i] = Overlap(stored[i].Time, stored[i].Width, wantedTime, wantedWidth);
        }
        Solve(a, x);
        double sum = x.Sum();
        return [.. x.Select(v => v / sum)];
    }

    // Gaussian elimination with the largest pivot; the matrix is small.
    private static void Solve(double[,] a, double[] x)
    {
        int n = x.Length;
        for (int k = 0; k < n; k++)
        {
            int pivot = Enumerable.Range(k, n - k).MaxBy(i => Math.Abs(a[i, k]));
            for (int j = 0; j < n; j++) (a[k, j], a[pivot, j]) = (a[pivot, j], a[k, j]);
            (x[k], x[pivot]) = (x[pivot], x[k]);
            for (int i = k + 1; i < n; i++)
            {
                double factor = a[i, k] / a[k, k];
                for (int j = k; j < n; j++) a[i, j] -= factor * a[k, j];
                x[i] -= factor * x[k];
            }
        }
        for (int i = n - 1; i >= 0; i--)
        {
            for (int j = i + 1; j < n; j++) x[i] -= a[i, j] * x[j];
            x[i] /= a[i, i];
        }
    }
}
