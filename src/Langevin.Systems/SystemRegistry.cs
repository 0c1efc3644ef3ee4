namespace Langevin.Systems;

/// <summary>The systems there are: every public one of this library, which needs no line anywhere, and those registered.</summary>
public static class SystemRegistry
{
    private static readonly List<DiffusionSystem> Systems =
    [
        .. typeof(SystemRegistry).Assembly.GetExportedTypes()
            .Where(t => t.IsSubclassOf(typeof(DiffusionSystem)) && !t.IsAbstract)
            .Select(t => (DiffusionSystem)Activator.CreateInstance(t)!),
    ];

    /// <summary>All systems, by domain and name.</summary>
    public static IReadOnlyList<DiffusionSystem> All
    {
        get { lock (Systems) return [.. Systems.OrderBy(s => s.Card.Domain, StringComparer.Ordinal).ThenBy(s => s.Card.Id, StringComparer.Ordinal)]; }
    }

    /// <summary>Adds a system of the caller's own.</summary>
    /// <exception cref="ArgumentException">Its name is taken.</exception>
    public static void Register(DiffusionSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        lock (Systems)
        {
            if (Systems.Any(s => s.Card.Id == system.Card.Id)) throw new ArgumentException($"There is a system '{system.Card.Id}' already.", nameof(system));
            Systems.Add(system);
        }
    }

    /// <summary>The system of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static DiffusionSystem Find(string id) => All.FirstOrDefault(s => s.Card.Id == id)
        ?? throw new ArgumentException($"There is no system '{id}'. Did you mean '{Spelling.Nearest(id, [.. All.Select(s => s.Card.Id)])}'? 'langevin systems list' shows them all.");
}
