using System.Text.Json.Nodes;
using Langevin.Metrics;
using static TorchSharp.torch;

namespace Langevin.Cli.Restoration;

/// <summary>A measure of many restored pictures, the larger the better, and of the classical answers to the same measurements.</summary>
/// <param name="Name">psnr or ssim.</param>
/// <param name="Sample">For each picture, that of one sample: the average over its samples.</param>
/// <param name="Mean">For each picture, that of the mean of its samples.</param>
/// <param name="Classical">For each classical method, that of each picture.</param>
internal sealed record Scores(string Name, double[] Sample, double[] Mean, IReadOnlyList<(Baseline Method, double[] Values)> Classical)
{
    /// <summary>The classical method that does best on these very pictures.</summary>
    public (Baseline Method, double[] Values) Best { get; } = Classical.MaxBy(c => c.Values.Average());

    /// <summary>Measures answers.</summary>
    /// <param name="name">The measure's name.</param>
    /// <param name="measure">Of pictures and their truth, [N].</param>
    /// <param name="answers">[N, k, C, H, W].</param>
    /// <param name="classical">For each classical method its answers, [N, C, H, W].</param>
    /// <param name="truth">[N, C, H, W].</param>
    public static Scores Of(string name, Func<Tensor, Tensor, Tensor> measure, Tensor answers, IEnumerable<(Baseline Method, Tensor Pictures)> classical, Tensor truth)
    {
        using var scope = NewDisposeScope();
        double[] Each(Tensor pictures) => measure(pictures, truth).data<double>().ToArray();
        var samples = Enumerable.Range(0, (int)answers.shape[1]).Select(j => Each(answers.select(1, j))).ToList();
        return new(name, [.. Enumerable.Range(0, samples[0].Length).Select(i => samples.Average(s => s[i]))], Each(answers.mean([1])),
            [.. classical.Select(c => (c.Method, Each(c.Pictures)))]);
    }

    /// <summary>All figures: means over the pictures with 95 % bootstrap intervals, and pair by pair how much better than the best classical method.</summary>
    public JsonObject ToJson()
    {
        var methods = new JsonObject();
        foreach (var (method, values) in Classical)
        {
            var figure = Figure(values);
            figure["values"] = Values(values);
            if (method.Weights.Length > 0) figure["weight"] = method.Weight;
            methods[method.Name] = figure;
        }
        return new() { ["sample"] = Answer(Sample), ["mean"] = Answer(Mean), ["classical"] = methods, ["best_classical"] = Best.Method.Name };

        JsonObject Answer(double[] values)
        {
            var figure = Figure(values);
            figure["values"] = Values(values);
            figure["gain"] = Figure(Gains(values));
            int better = Gains(values).Count(g => g > 0);
            var share = Interval.Wilson(better, values.Length);
            figure["better"] = new JsonObject { ["share"] = (double)better / values.Length, ["low"] = share.Low, ["high"] = share.High };
            return figure;
        }
    }

    private static JsonArray Values(double[] values) => [.. values.Select(v => (JsonNode)v)];

    private double[] Gains(double[] values) => [.. values.Zip(Best.Values, (a, b) => a - b)];

    private static JsonObject Figure(double[] values)
    {
        using var each = tensor(values);
        var interval = Bootstrap.Interval(values.Length, which => each.index_select(0, which).mean().item<double>(), resamples: 1000);
        return new() { ["mean"] = values.Average(), ["low"] = interval.Low, ["high"] = interval.High };
    }
}
