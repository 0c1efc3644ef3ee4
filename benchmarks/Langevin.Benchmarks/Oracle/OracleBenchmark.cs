using Langevin.Processes;

namespace Langevin.Benchmarks.Oracle;

/// <summary>Solvers, guidance and inverse-problem solvers where the truth is known in closed form: one command, tables and plots in a folder.</summary>
internal static class OracleBenchmark
{
    private static readonly (string Name, string Title, Func<Sheet, string> Run)[] Sections =
    [
        ("ode-plane", "ODE solvers on the plane", sheet => OdeOracle.Run(sheet, Problem.EightGaussians, new EdmProcess(), "ode-plane")),
        ("ode-pictures", "ODE solvers on pictures", sheet => OdeOracle.Run(sheet, Problem.Pictures, VariancePreserving.Linear(), "ode-pictures")),
        ("sde", "SDE solvers", SdeOracle.Run),
        ("draws-plane", "Draws on the plane", sheet => DrawOracle.Run(sheet, Problem.EightGaussians, new EdmProcess(), "draws-plane")),
        ("draws-pictures", "Draws of pictures", sheet => DrawOracle.Run(sheet, Problem.Pictures, VariancePreserving.Linear(), "draws-pictures")),
        ("guidance", "Guidance", GuidanceOracle.Run),
        ("inverse", "Inverse problems", InverseOracle.Small),
        ("inverse-pictures", "Inverse problems of pictures", InverseOracle.Pictures),
    ];

    public static int Run(string[] args)
    {
        string? folder = null, file = null;
        var only = new List<string>();
        bool quick = false;
        for (int i = 0; i < args.Length; i++)
        {
            bool more = i + 1 < args.Length;
            if (args[i] == "--quick") quick = true;
            else if (args[i] == "--out" && more) folder = args[++i];
            else if (args[i] == "--report" && more) file = args[++i];
            else if (args[i] == "--only" && more && Sections.Any(s => s.Name == args[i + 1])) only.Add(args[++i]);
            else
            {
                Console.Error.WriteLine($"error: {args[i]} is not known here; there are --quick, --out FOLDER, --report FILE and --only SECTION, one of {string.Join(", ", Sections.Select(s => s.Name))}");
                return 2;
            }
        }
        NativeRuntime.EnsureLoaded();
        folder ??= Path.Combine(Repository.Root, "artifacts", "oracle");
        file ??= Path.Combine(folder, "report.md");
        var sheet = new Sheet(folder, file, quick);
        string head = "# Exact-oracle benchmark: results\n\nWritten by `dotnet run -c Release --project benchmarks/Langevin.Benchmarks -- oracle" + (quick ? " --quick" : "")
            + "`, section by section. Every denoiser here is a closed form, so that whatever differs from the truth is the solver's, the guidance's or the restoring method's own doing.";
        var report = new Report(file, head, Sections.Select(s => s.Title));
        foreach (var (name, title, run) in Sections)
        {
            if (only.Count > 0 && !only.Contains(name)) continue;
            sheet.Say(title);
            report.Put(title, run(sheet));
        }
        sheet.Say($"written to {file}");
        return 0;
    }
}
