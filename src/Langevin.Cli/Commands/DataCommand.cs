using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Langevin.Data;
using Langevin.Systems.Figures;
using static TorchSharp.torch;

namespace Langevin.Cli.Commands;

/// <summary><c>langevin data info DATA</c>: what the library sees in a file or folder.</summary>
internal static class DataCommand
{
    public static Command Create(Terminal terminal)
    {
        var data = new Argument<string>("data") { Description = "A built-in set, or a file or folder." };
        var picture = new Option<string?>("--picture") { Description = "Also write a picture: a PNG sheet of the first hundred images (of the first twenty with all their channels, where these are more than three), an SVG chart of the first five signals, or one of points of the plane." };
        var (size, grey, label) = Options.Reading();
        var json = Options.Json();
        var info = new Command("info", "Says what it sees: kind, count, shape, classes, range, and what looks wrong.") { data, size, grey, label, picture, json };
        info.SetAction((ParseResult parsed) =>
        {
            var set = Datasets.Open(parsed.GetValue(data)!, new DataOptions { Size = parsed.GetValue(size), Grey = parsed.GetValue(grey), Label = parsed.GetValue(label) });
            if (parsed.GetValue(picture) is { } path)
            {
                bool many = set.ItemShape is [> 3, _, _];
                int count = set.ItemShape switch { [2] => 2000, [_, _] => 5, [_, _, _] => many ? 20 : 100, _ => throw new ArgumentException($"--picture: '{parsed.GetValue(data)}' holds neither images nor signals nor points of the plane.") };
                using var batch = set.Get([.. Enumerable.Range(0, Math.Min(count, set.Count)).Select(i => (long)i)], 0);
                if (many) ImageGrid.Save(path, batch.Samples.flatten(0, 1).unsqueeze(1), 2 * (int)set.ItemShape[0], zoom: 2);
                else if (set.ItemShape.Length == 3) ImageGrid.Save(path, batch.Samples, 10, zoom: 2);
                else AtomicFile.WriteAllText(path, set.ItemShape.Length == 1 ? new Chart { Square = true }.Points(set.Name, batch.Samples).Svg() : Signals(batch.Samples).Svg());
            }
            var facts = Facts(DatasetInfo.Of(set));
            if (parsed.GetValue(json)) terminal.Line(new JsonObject(facts.Select(f => KeyValuePair.Create(f.Name, (JsonNode?)f.Value))).ToJsonString());
            else terminal.Table(["what", "value"], facts.Select(f => (string[])[f.Name, f.Value]));
            return App.Ok;
        });
        return new Command("data", "Looks into data sets.") { info };
    }

    // The first channel of each, one below the other.
    private static Chart Signals(Tensor samples)
    {
        using var scope = NewDisposeScope();
        double apart = samples.max().item<float>() - samples.min().item<float>();
        return Enumerable.Range(0, (int)samples.size(0)).Aggregate(new Chart("sample"), (chart, i) => chart.Line($"item {i}", samples[i, 0] - i * apart));
    }

    private static List<(string Name, string Value)> Facts(DatasetInfo info)
    {
        static string Numbers(double[] values) => string.Join(", ", values.Take(8).Select(v => v.ToString("g4", CultureInfo.InvariantCulture))) + (values.Length > 8 ? ", ..." : "");
        var facts = new List<(string, string)>
        {
            ("name", info.Name),
            ("kind", info.Kind),
            ("items", info.Count.ToString("n0", CultureInfo.InvariantCulture)),
            ("shape", string.Join(" × ", info.ItemShape)),
            ("classes", info.Classes.Count == 0 ? "none" : string.Join(", ", info.Classes.Take(20).Select(c => $"{c.Name}: {c.Count}")) + (info.Classes.Count > 20 ? $", ... ({info.Classes.Count})" : "")),
            ("range", Numbers([info.Min, info.Max])),
            ("mean", Numbers(info.Mean)),
            ("standard deviation", Numbers(info.Std)),
        };
        facts.AddRange(info.Warnings.Select(w => ("warning", w)));
        return facts;
    }
}
