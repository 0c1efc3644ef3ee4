using System.Diagnostics;

namespace Langevin.Benchmarks.Oracle;

/// <summary>What a part of the benchmark is given: how coarse to be, where progress is told, and where its plots go.</summary>
internal sealed class Sheet(string folder, string report, bool quick)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    /// <summary>Whether fewer steps and samples will do.</summary>
    public bool Quick => quick;

    /// <summary>Tells on standard error what has been reached.</summary>
    public void Say(string what) => Console.Error.WriteLine($"{clock.Elapsed.TotalSeconds,6:f0} s  {what}");

    /// <summary>Writes a plot, and gives the Markdown that shows it in the report.</summary>
    public string Plot(string name, SvgPlot plot)
    {
        string path = Path.Combine(folder, name + ".svg");
        plot.Save(path);
        return $"![{plot.Title}]({Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(report))!, Path.GetFullPath(path)).Replace('\\', '/')})\n";
    }
}
