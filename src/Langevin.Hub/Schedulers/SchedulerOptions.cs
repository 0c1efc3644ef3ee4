using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Langevin.Hub.Schedulers;

/// <summary>
/// The options of one <c>scheduler_config.json</c>, read by type. What is wrong with one names it; what is never read can be listed.
/// </summary>
internal sealed class SchedulerOptions(string className, JsonObject config)
{
    private readonly HashSet<string> read = [];

    /// <summary>The scheduler's class.</summary>
    public string ClassName => className;

    /// <summary>The options that have been asked for.</summary>
    public IReadOnlySet<string> Read => read;

    /// <summary>Whether an option is given and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A number; "inf" and "-inf" are numbers too.</summary>
    public double Number(string name, double fallback) => Maybe(name) ?? fallback;

    /// <summary>A number, or null where it is not given.</summary>
    public double? Maybe(string name)
    {
        if (Find(name) is not { } node) return null;
        if (node.GetValueKind() == JsonValueKind.Number) return node.GetValue<double>();
        return node.ToString() switch
        {
            "inf" or "Infinity" => double.PositiveInfinity,
            "-inf" or "-Infinity" => double.NegativeInfinity,
            _ => throw Wrong(name, node, "a number"),
        };
    }

    /// <summary>A whole number.</summary>
    public int Whole(string name, int fallback)
    {
        double value = Number(name, fallback);
        return value == Math.Round(value) && Math.Abs(value) < 1e9 ? (int)value : throw Wrong(name, Find(name)!, "a whole number");
    }

    /// <summary>true or false.</summary>
    public bool Flag(string name, bool fallback) => Find(name) switch
    {
        null => fallback,
        var node when node.GetValueKind() is JsonValueKind.True or JsonValueKind.False => node.GetValue<bool>(),
        var node => throw Wrong(name, node, "true or false"),
    };

    /// <summary>A list of numbers, or null where it is not given.</summary>
    public double[]? Numbers(string name) => Find(name) switch
    {
        null => null,
        JsonArray array when array.All(n => n?.GetValueKind() == JsonValueKind.Number) => [.. array.Select(n => n!.GetValue<double>())],
        var node => throw Wrong(name, node, "a list of numbers"),
    };

    /// <summary>One of several words, and what it stands for; the first is the default.</summary>
    public T Choice<T>(string name, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Find(name) is not { } node) return choices[0].Value;
        foreach (var (word, value) in choices)
            if (node.GetValueKind() == JsonValueKind.String && node.GetValue<string>() == word) return value;
        throw Wrong(name, node, string.Join(", ", choices.ToArray().Select(c => $"\"{c.Word}\"")));
    }

    /// <summary>One of several words; the first is the default.</summary>
    public string Word(string name, params string[] choices) => Choice<string>(name, [.. choices.Select(c => (c, c))]);

    /// <summary>Refuses a value that the library cannot honour.</summary>
    public InvalidDataException Unsupported(string name, string remedy) =>
        new($"{ClassName}: the option {name} = {Find(name)?.ToJsonString() ?? "null"} is not supported here; {remedy}.");

    private JsonNode? Find(string name)
    {
        read.Add(name);
        return config[name];
    }

    private InvalidDataException Wrong(string name, JsonNode node, string expected) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{ClassName}: the option {name} is {node.ToJsonString()}; it must be {expected}."));
}
