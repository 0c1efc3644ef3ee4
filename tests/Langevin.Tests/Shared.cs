namespace Langevin.Tests;

/// <summary>Finds the shared folder of goldens and small data sets; tests that need it skip where it is absent.</summary>
internal static class Shared
{
    /// <summary>The repository root, found upwards from the test assembly.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file of these tests' own.</summary>
    /// <param name="parts">Its path from their folder.</param>
    public static string Own(params string[] parts) => Path.Combine([Root, "tests", "Langevin.Tests", .. parts]);

    /// <summary>The folder that LANGEVIN_SHARED names, else ../shared; null where absent.</summary>
    public static string? Folder { get; } = new[] { Environment.GetEnvironmentVariable("LANGEVIN_SHARED"), Path.Combine(Root, "..", "shared") }
        .FirstOrDefault(f => !string.IsNullOrEmpty(f) && Directory.Exists(f));

    /// <summary>The golden folder: shared, or the small copy in the tests.</summary>
    public static string Goldens => Folder is { } f ? Path.Combine(f, "goldens") : Path.Combine(Root, "tests", "goldens");

    /// <summary>A file under shared/data; the calling test is skipped where it is absent.</summary>
    public static string Data(string relative)
    {
        if (Folder is null) Assert.Skip("the shared folder is absent: set LANGEVIN_SHARED to run this test");
        string path = Path.Combine(Folder!, "data", relative);
        if (!File.Exists(path) && !Directory.Exists(path)) Assert.Skip($"shared data '{relative}' is absent");
        return path;
    }

    private static string FindRoot()
    {
        for (var dir = new DirectoryInfo(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
            if (File.Exists(Path.Combine(dir.FullName, "Langevin.slnx"))) return dir.FullName;
        throw new DirectoryNotFoundException("Langevin.slnx not found above the test assembly");
    }
}
