using Langevin.Systems;

namespace Langevin.Tests.Docs;

/// <summary>The code of docs/systems.md.</summary>
public class SystemsSnippets
{
    [Fact]
    public void A_system_of_ones_own_runs_on_the_bench()
    {
        using var temporary = new TempFolder();
        string folder = temporary.Path;

        var bench = new Bench(folder);
        SystemResult result = bench.Run(new HeunSystem(), new() { Scale = Scale.Quick, Seeds = 3 });
        Console.WriteLine($"{result.Verdict}: {result.Arms[0].Mean:g3} ± {result.Arms[0].Std:g2}");
        foreach (var c in result.Comparisons) Console.WriteLine($"{c.Arm}: {c.Difference:g3} [{c.Interval.Low:g3}, {c.Interval.High:g3}] {c.Verdict}");

        // Measured by the exact denoiser: Heun's 40 evaluations against Euler's 40, and Karras' steps against even ones.
        Assert.Equal(Verdict.Beats, result.Verdict);
        Assert.True(result.AblationsAsClaimed);
        Assert.True(File.Exists(Path.Combine(folder, "heun-example", "quick", "index.html")));

        // What is done is not done again: the second run takes the outcomes from the folder.
        var before = Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Where(f => !f.EndsWith("result.json", StringComparison.Ordinal)).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        var again = bench.Run(new HeunSystem(), new() { Scale = Scale.Quick, Seeds = 3 });
        Assert.Equal(result.Arms[0].Values, again.Arms[0].Values);
        Assert.All(before, f => Assert.Equal(f.Value, File.GetLastWriteTimeUtc(f.Key)));
    }
}
