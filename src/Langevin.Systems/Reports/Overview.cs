using System.Globalization;
using System.Text;

namespace Langevin.Systems.Reports;

/// <summary>All systems on one page, and as Markdown.</summary>
public static class Overview
{
    private static readonly string[] Headings = ["system", "survey", "metric", "method", "baselines", "ablations", "verdict", "seconds"];

    /// <summary>The page.</summary>
    internal static void Write(string path, IReadOnlyList<SystemResult> results)
    {
        var page = new HtmlReport("Systems")
            .Text($"{results.Count} of {SystemRegistry.All.Count} systems have been run.");
        foreach (var domain in SystemRegistry.All.GroupBy(s => s.Card.Domain))
        {
            var rows = domain.Select(s => Row(s, results.FirstOrDefault(r => r.Id == s.Card.Id))).ToArray();
            page.Heading(domain.Key).Table(Headings, rows);
        }
        page.Save(path);
    }

    /// <summary>A page of documentation: a table for each domain, with the date and the machine's cores.</summary>
    /// <param name="results">What has been run.</param>
    public static string Markdown(IReadOnlyList<SystemResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var text = new StringBuilder("# What the systems came to\n\nWritten by `langevin systems report --markdown`; [the bench](systems-bench.md) says what a row, an arm and a verdict are.\n\n");
        if (results.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"{results.Count} of {SystemRegistry.All.Count} systems, {results.Sum(r => r.Seconds) / 60:f0} minutes on {results[0].Cores} cores, {results.Max(r => r.Date):yyyy-MM-dd}; ")
                .Append(CultureInfo.InvariantCulture, $"{results.Count(r => r.Verdict == Verdict.Beats)} beat every baseline, {results.Count(r => r.AblationsAsClaimed)} ablations move as the papers say, {results.Count(r => r.Verdict == Verdict.Beats && r.AblationsAsClaimed)} both.\n");
        foreach (var domain in SystemRegistry.All.Where(s => results.Any(r => r.Id == s.Card.Id)).GroupBy(s => s.Card.Domain))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {char.ToUpperInvariant(domain.Key[0])}{domain.Key[1..]}\n\n| {string.Join(" | ", Headings)} |\n|{string.Concat(Headings.Select(_ => "---|"))}\n");
            foreach (var system in domain)
                if (results.FirstOrDefault(r => r.Id == system.Card.Id) is { } result)
                    text.Append("| ").AppendJoin(" | ", Row(system, result).Select(c => c is HtmlReport.Link l ? l.Text : c)).Append(" |\n");
            foreach (var card in domain.Select(s => s.Card).Where(c => c.Remark is not null && results.Any(r => r.Id == c.Id)))
                text.Append(CultureInfo.InvariantCulture, $"\n**{card.Id}**: {card.Remark}\n");
        }
        string[] left = [.. SystemRegistry.All.Select(s => s.Card.Id).Where(id => results.All(r => r.Id != id))];
        if (left.Length > 0) text.Append(CultureInfo.InvariantCulture, $"\nNot run yet: {string.Join(", ", left)}.\n");
        return text.ToString();
    }

    private static IReadOnlyList<object> Row(DiffusionSystem system, SystemResult? result)
    {
        var card = system.Card;
        if (result is null) return [card.Id, card.Reference, card.Metric.Name, "", "", "", "not run", ""];
        string Arms(ArmRole role) => string.Join("; ", result.Arms.Where(a => a.Role == role).Select(a => $"{a.Name} {SystemPage.Spread(a)}"));
        return
        [
            new HtmlReport.Link(card.Id, $"{card.Id}/{result.Scale.ToString().ToLowerInvariant()}/index.html"), card.Reference,
            $"{card.Metric.Name} {(card.Metric.Better == Direction.Lower ? "↓" : "↑")}", SystemPage.Spread(result.Arms[0]), Arms(ArmRole.Baseline), Arms(ArmRole.Ablation),
            $"{result.Verdict.ToString().ToLowerInvariant()}{(result.AblationsAsClaimed ? "" : $"; not as the paper says: {string.Join(", ", result.Comparisons.Where(c => c.AsClaimed == false).Select(c => c.Arm))}")}{(result.Seeds.Count < 3 ? $"; {result.Seeds.Count} seed{(result.Seeds.Count == 1 ? "" : "s")}" : "")}{(result.Scale == Scale.Full ? "" : "; quick")}",
            result.Seconds.ToString("f0", CultureInfo.InvariantCulture),
        ];
    }
}
