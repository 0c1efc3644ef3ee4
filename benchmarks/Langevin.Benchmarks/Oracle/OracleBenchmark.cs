using System.Diagnostics;
using Langevin.Processes;

namespace Langevin.Benchmarks.Oracle;

/// <summary>Solvers, guidance and inverse-problem solvers where the truth is known in closed form: one command, tables and plots in a folder.</summary>
internal static class OracleBenchmark
{
    public static int Run(string[] args)
    {
        string folder = Path.Combine(Repository.Root, "artifacts", "oracle");
        bool quick = false;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--quick") quick = true;
            else if (args[i] == "--out" && i + 1 < args.Length) folder = args[++i];
            else
            {
                Console.Error.WriteLine($"error: {args[i]} is not known here; there are --out FOLDER and --quick");
                return 2;
            }
        }
        NativeRuntime.EnsureLoaded();
        Directory.CreateDirectory(folder);
        var clock = Stopwatch.StartNew();
        var report = new StringWriter { NewLine = "\n" };
        report.WriteLine("# Exact-oracle benchmark\n");
        report.WriteLine($"Written by `dotnet run -c Release --project benchmarks/Langevin.Benchmarks -- oracle{(quick ? " --quick" : "")}`. Every denoiser here is a closed form, so that whatever differs from the truth is the solver's or the guidance's own doing.\n");
        void Section(string title, Func<Table> run, string? plot = null)
        {
            Console.Error.WriteLine($"{clock.Elapsed.TotalSeconds,6:f0} s  {title}");
            report.WriteLine($"## {title}\n");
            report.WriteLine(run());
            if (plot is not null) report.WriteLine($"![{title}]({plot})\n");
        }
        var vp = VariancePreserving.Linear();
        Section("ODE solvers on the plane", () => SolverOracle.Orders(Problem.EightGaussians, new EdmProcess(), Path.Combine(folder, "orders-plane.svg"), quick), "orders-plane.svg");
        Section("ODE solvers on pictures", () => SolverOracle.Orders(Problem.Pictures, vp, Path.Combine(folder, "orders-pictures.svg"), quick), "orders-pictures.svg");
        Section("Draws on the plane", () => SolverOracle.Distances(Problem.EightGaussians, new EdmProcess(), Path.Combine(folder, "draws-plane.svg"), quick), "draws-plane.svg");
        Section("Draws of pictures", () => SolverOracle.Distances(Problem.Pictures, vp, Path.Combine(folder, "draws-pictures.svg"), true), "draws-pictures.svg");
        Section("Guidance", () => GuidanceOracle.Run(quick));
        Section("Inverse problems", () => InverseOracle.Run(quick));
        string path = Path.Combine(folder, "report.md");
        AtomicFile.WriteAllText(path, report.ToString());
        Console.WriteLine($"written to {path} in {clock.Elapsed.TotalSeconds:f0} s");
        return 0;
    }
}
