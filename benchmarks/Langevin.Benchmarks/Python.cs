using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Langevin.Benchmarks;

/// <summary>Runs the scripts of this folder's neighbours that measure NumPy and SciPy at the same work.</summary>
internal static class Python
{
    /// <summary>The JSON a script prints; null where Python or what the script imports is absent. LANGEVIN_PYTHON names the interpreter.</summary>
    public static JsonNode? Run(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("LANGEVIN_PYTHON") ?? "python3") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(Repository.Root, "benchmarks", script));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            using var process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? JsonNode.Parse(output) : null;
        }
        catch (System.ComponentModel.Win32Exception) { return null; }
    }
}
