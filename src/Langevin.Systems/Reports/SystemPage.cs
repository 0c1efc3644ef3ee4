using System.Globalization;
using Langevin.Systems.Figures;

namespace Langevin.Systems.Reports;

/// <summary>The page of one system's run.</summary>
public static class SystemPage
{
    internal static void Write(string path, DiffusionSystem system, SystemResult result, IEnumerable<(Arm Arm, Figure Figure)> shown)
    {
        var card = system.Card;
        var page = new HtmlReport($"{card.Id}: {card.Title}")
            .Text(Sentence(card, result))
            .Heading("Result")
            .Table(["", "arm", $"{card.Metric.Name}{(card.Metric.Unit.Length > 0 ? $", {card.Metric.Unit}" : "")} ({card.Metric.Better.ToString().ToLowerInvariant()} is better)", "method less this, 95 % interval", "verdict", "seconds a seed"],
                result.Arms.Select(a => Row(a, result.Comparisons.FirstOrDefault(c => c.Arm == a.Name))))
            .Text($"{Scaled(result)}. The difference is paired by seed, and by item where the metric is a mean over items; its interval resamples seeds and items.");
        if (card.Remark is { } remark) page.Text(remark);
        string[] names = [.. result.Arms.SelectMany(a => a.Figures.Keys).Distinct()];
        if (names.Length > 0)
            page.Heading("What else was measured").Table(["arm", .. names], result.Arms.Where(a => a.Figures.Count > 0)
                .Select(a => (IReadOnlyList<object>)[a.Name, .. names.Select(n => a.Figures.TryGetValue(n, out double v) ? Number(v) : "")]));
        foreach (var (arm, figure) in shown) page.Heading(arm.Name).Figure(figure);
        page.Heading("What it is").Table([("survey", card.Reference), ("paper", card.Paper), ("mechanism", card.Mechanism), ("as in the paper", card.Faithful), ("stands in", card.StandIn), ("data", card.Data)]);
        if (system.Application is { } use) page.Heading("On your own files").Text(use).Code($"langevin systems apply {card.Id} --in FILE --out FILE");
        page.Save(path);
    }

    /// <summary>What the result says, in a sentence.</summary>
    public static string Sentence(SystemCard card, SystemResult result)
    {
        var method = result.Arms[0];
        string value = $"{card.Metric.Name} of {method.Name}: {Spread(method)}.";
        var baselines = result.Comparisons.Where(c => c.Role == ArmRole.Baseline).ToArray();
        var failed = result.Comparisons.Where(c => c.AsClaimed == false).Select(c => c.Arm).ToArray();
        return value
            + string.Concat(baselines.Select(c => $" It {c.Verdict.ToString().ToLowerInvariant()} {(c.Verdict == Verdict.Ties ? "with " : c.Verdict == Verdict.Loses ? "against " : "")}{c.Arm}."))
            + (result.Comparisons.All(c => c.Role != ArmRole.Ablation) ? "" : failed.Length == 0 ? " Every ablation moves it as the paper says." : $" Not as the paper says: {string.Join(", ", failed)}.");
    }

    internal static string Scaled(SystemResult result) =>
        string.Create(CultureInfo.InvariantCulture, $"A {result.Scale.ToString().ToLowerInvariant()} run with {result.Seeds.Count} seed{(result.Seeds.Count == 1 ? "" : "s")}, {result.Seconds:f0} s on {result.Cores} cores, {result.Date:yyyy-MM-dd}");

    /// <summary>Mean and standard deviation over the seeds.</summary>
    public static string Spread(ArmResult arm) => arm.Values.Count > 1 ? $"{Number(arm.Mean)} ± {Number(arm.Std)}" : Number(arm.Mean);

    /// <summary>A number as pages show it.</summary>
    public static string Number(double v) => v.ToString("g4", CultureInfo.InvariantCulture);

    private static IReadOnlyList<object> Row(ArmResult arm, Comparison? c) =>
    [
        arm.Role.ToString().ToLowerInvariant(), arm.Name, Spread(arm),
        c is null ? "" : $"{Number(c.Difference)} [{Number(c.Interval.Low)}, {Number(c.Interval.High)}]",
        c is null ? "" : c.AsClaimed is { } claimed ? claimed ? "as the paper says" : "not as the paper says" : c.Verdict.ToString().ToLowerInvariant(),
        arm.Seconds.Average().ToString("f1", CultureInfo.InvariantCulture),
    ];
}
