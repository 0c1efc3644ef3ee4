namespace Langevin.Benchmarks.Oracle;

/// <summary>The order that errors show.</summary>
internal static class Slope
{
    /// <summary>−d log error / d log steps by least squares over the last three errors above rounding.</summary>
    public static string Of(IEnumerable<(double Steps, double Error)> runs, double rounding)
    {
        var points = runs.Where(p => double.IsFinite(p.Error) && p.Error > rounding).TakeLast(3).Select(p => (X: Math.Log(p.Steps), Y: Math.Log(p.Error))).ToArray();
        if (points.Length < 2) return "–";
        double mx = points.Average(p => p.X), my = points.Average(p => p.Y);
        return $"{-points.Sum(p => (p.X - mx) * (p.Y - my)) / points.Sum(p => (p.X - mx) * (p.X - mx)):f2}";
    }
}
