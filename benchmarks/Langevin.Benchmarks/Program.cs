using System.Diagnostics;
using System.Globalization;
using Langevin;
using Langevin.Benchmarks;
using Langevin.Benchmarks.Oracle;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["oracle", .. var options]) return OracleBenchmark.Run(options);
var sections = new Dictionary<string, (string Title, Func<Machine, Table> Run)>
{
    ["frechet"] = ("Fréchet distance of 50,000 × 2,048 features", FrechetBenchmark.Run), // first: its peak of memory is the process's
    ["emd"] = ("Earth mover's distance of 2,048 points", EmdBenchmark.Run),
    ["optimizer"] = ("Optimiser and weight averages", OptimizerBenchmark.Run),
    ["network"] = ("Preset networks", NetworkBenchmark.Run),
    ["step"] = ("One step of Stable Diffusion 1.5 at 512 × 512", StepBenchmark.Run),
    ["sampler"] = ("Sampler loop over the bare network", SamplerBenchmark.Run),
    ["leaks"] = ("Live tensors", LeakBenchmark.Run),
};
string asked = args.FirstOrDefault("all");
if (args.Length > 1 || asked != "all" && !sections.ContainsKey(asked))
{
    Console.Error.WriteLine($"error: expected one of all, oracle, {string.Join(", ", sections.Keys)}");
    return 2;
}

NativeRuntime.EnsureLoaded();
var clock = Stopwatch.StartNew();
var machine = new Machine();
var report = new StringWriter();
report.WriteLine("# Benchmarks\n");
report.WriteLine("Written by `dotnet run -c Release --project benchmarks/Langevin.Benchmarks -- all`. Times are medians of rounds in which the things compared take turns; ratios carry over to other machines, times do not.\n");
string head = report.ToString();
report.WriteLine(machine.Describe());
Console.WriteLine(report.ToString()[head.Length..]);
foreach (var (name, (title, run)) in sections)
{
    if (asked != "all" && asked != name) continue;
    string section = $"## {title}\n\n{run(machine)}";
    report.WriteLine(section);
    Console.WriteLine(section);
}
string end = $"Matmul peak at the end of the run: {machine.PeakNow()}. The run took {clock.Elapsed.TotalMinutes:f1} minutes.";
report.WriteLine(end);
Console.WriteLine(end);
if (asked == "all")
{
    string path = Path.Combine(Repository.Root, "benchmarks", "results.md");
    AtomicFile.WriteAllText(path, report.ToString().ReplaceLineEndings("\n"));
    Console.WriteLine($"written to {path}");
}
return 0;
