using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Cli.Evaluation;

/// <summary>One number for the values of many pairs.</summary>
internal static class Summary
{
    /// <summary>The mean over the finite values with its bootstrap interval.</summary>
    public static Measured Of(string name, double[] values, FolderRequest request)
    {
        int equal = values.Count(double.IsInfinity);
        double[] finite = [.. values.Where(double.IsFinite)];
        if (finite.Length == 0) return new(name, double.PositiveInfinity, null, "all pairs are equal");
        string note = equal > 0 ? $"{finite.Length} pairs; {equal} equal pairs left out" : $"{finite.Length} pairs";
        if (finite.Length == 1) return new(name, finite[0], null, "1 pair");
        using var scope = NewDisposeScope();
        var all = tensor(finite);
        return new(name, finite.Average(), Bootstrap.Interval(finite.Length, i => all.index_select(0, i).mean().item<double>(), request.Resamples, request.Level, request.Seed), note);
    }
}
