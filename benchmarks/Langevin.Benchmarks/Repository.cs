namespace Langevin.Benchmarks;

internal static class Repository
{
    /// <summary>The repository's root, found upwards from the program.</summary>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "Langevin.slnx"))) return folder.FullName;
            throw new DirectoryNotFoundException($"Langevin.slnx is nowhere above '{AppContext.BaseDirectory}': run the benchmarks from a clone.");
        }
    }
}
