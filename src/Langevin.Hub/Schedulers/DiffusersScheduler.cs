using System.Text.Json;
using System.Text.Json.Nodes;

namespace Langevin.Hub.Schedulers;

/// <summary>A scheduler configuration of diffusers, read into a composition that behaves the same, and written back unchanged.</summary>
public sealed class DiffusersScheduler
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly Lazy<string[]> Known = new(() => [.. SchedulerRegistry.Families.SelectMany(f =>
    {
        var options = new SchedulerOptions(f.Key, []);
        f.Value(options);
        return options.Read;
    }).Distinct()]);

    private readonly JsonObject config;
    private readonly SchedulerPlan plan;

    private DiffusersScheduler(string className, JsonObject config)
    {
        (ClassName, this.config) = (className, config);
        if (SchedulerRegistry.Refused.TryGetValue(className, out string? reason))
            throw new InvalidDataException($"The scheduler class {className} cannot be read: {reason}.");
        if (!SchedulerRegistry.Families.TryGetValue(className, out var family))
            throw new InvalidDataException($"The scheduler class {className} is not known; the nearest is {Spelling.Nearest(className, Classes)}. Known are: {string.Join(", ", Classes)}.");
        var options = new SchedulerOptions(className, config);
        plan = Build(family, options);
        string[] unread = [.. config.Select(o => o.Key).Where(k => !k.StartsWith('_') && !options.Read.Contains(k))];
        foreach (string name in unread)
            if (!Known.Value.Contains(name))
                throw new InvalidDataException($"{className} has no option {name}; the nearest is {Spelling.Nearest(name, options.Read)}.");
        Foreign = unread;
    }

    /// <summary>The classes that can be read.</summary>
    public static IReadOnlyCollection<string> Classes { get; } = [.. SchedulerRegistry.Families.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The scheduler's class.</summary>
    public string ClassName { get; }

    /// <summary>Options that belong to other schedulers and mean nothing to this one, as configurations that were carried over hold.</summary>
    public IReadOnlyList<string> Foreign { get; }

    /// <summary>A copy of the configuration, as it was read.</summary>
    public JsonObject Config => (JsonObject)config.DeepClone();

    /// <summary>Reads the text of a <c>scheduler_config.json</c>.</summary>
    /// <exception cref="InvalidDataException">Not such a file, an unknown class, or an option that is unknown or not supported.</exception>
    public static DiffusersScheduler Parse(string json)
    {
        try
        {
            return Read(JsonNode.Parse(json) as JsonObject ?? throw new InvalidDataException("A scheduler configuration is a JSON object."));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The scheduler configuration is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="InvalidDataException">An unknown class, or an option that is unknown or not supported.</exception>
    public static DiffusersScheduler Read(JsonObject config)
    {
        if (config["_class_name"] is not JsonValue value || !value.TryGetValue(out string? name))
            throw new InvalidDataException("The scheduler configuration has no _class_name.");
        return new(name, (JsonObject)config.DeepClone());
    }

    /// <summary>What the scheduler is made of, for so many steps, or as a pipeline asks.</summary>
    /// <exception cref="ArgumentException">A request that the scheduler cannot serve.</exception>
    public SchedulerComposition Compose(SchedulerRequest request) => plan.Compose(request, ClassName);

    /// <summary>The configuration as it was read.</summary>
    public string ToJson() => config.ToJsonString(Indented);

    private static SchedulerPlan Build(Func<SchedulerOptions, SchedulerPlan> family, SchedulerOptions options)
    {
        try
        {
            return family(options);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{options.ClassName}: {e.Message}", e);
        }
    }
}
