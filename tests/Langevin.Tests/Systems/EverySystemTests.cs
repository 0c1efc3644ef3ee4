using Langevin.Systems;

namespace Langevin.Tests.Systems;

/// <summary>Every registered system at its smallest: trains two steps, samples or applies, saves, loads, evaluates.</summary>
public class EverySystemTests
{
    public static TheoryData<string> Ids() => [.. SystemRegistry.All.Select(s => s.Card.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Runs_saves_and_loads(string id)
    {
        var system = SystemRegistry.Find(id);
        using var folder = new TempFolder();
        var bench = new Bench(folder.Path);
        var options = new BenchOptions { Scale = Scale.Smallest, Seeds = 1, Data = Shared.Folder is { } shared ? Path.Combine(shared, "data") : null };
        var first = bench.Run(system, options, TestContext.Current.CancellationToken);
        Assert.Equal(system.Arms.Select(a => a.Name), first.Arms.Select(a => a.Name));
        Assert.All(first.Arms, a => Assert.False(a.Values.Any(double.IsNaN), $"{a.Name} is not a number"));
        string page = File.ReadAllText(Path.Combine(folder.Path, id, "smallest", "index.html"));
        Assert.Contains(System.Net.WebUtility.HtmlEncode(system.Card.Title), page, StringComparison.Ordinal);

        // Again with the models that were saved, and the results forgotten: the same figures.
        var trained = Directory.Exists(Path.Combine(folder.Path, "models")) ? Directory.GetFiles(Path.Combine(folder.Path, "models"), "*.safetensors", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc) : [];
        var second = bench.Run(system, options with { Fresh = true }, TestContext.Current.CancellationToken);
        foreach (var (a, b) in first.Arms.Zip(second.Arms)) Assert.Equal(a.Values[0], b.Values[0], 1e-4 * Math.Max(1, Math.Abs(a.Values[0])));
        Assert.All(trained, f => Assert.Equal(f.Value, File.GetLastWriteTimeUtc(f.Key)));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Card_says_what_there_is_to_know(string id)
    {
        var system = SystemRegistry.Find(id);
        var card = system.Card;
        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", card.Id);
        foreach (string text in new[] { card.Reference, card.Title, card.Paper, card.Mechanism, card.Faithful, card.StandIn, card.Data, card.Metric.Name }) Assert.False(string.IsNullOrWhiteSpace(text));
        Assert.Equal(ArmRole.Method, system.Arms[0].Role);
        Assert.Single(system.Arms, a => a.Role == ArmRole.Method);
        Assert.Contains(system.Arms, a => a.Role == ArmRole.Baseline);
        Assert.Contains(system.Arms, a => a.Role == ArmRole.Ablation);
        Assert.Equal(system.Arms.Count, system.Arms.Select(a => a.Name).Distinct().Count());
    }
}
