using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>
/// Judges every case of the golden folder: the one that <c>LANGEVIN_SHARED</c> names, else <c>../shared</c> beside the
/// repository, else the small copy that ships with the tests. A family without a handler is a named skip.
/// </summary>
public class GoldenTests
{
    // A family may be judged by several handlers, one for each part of the library that claims it; all must pass.
    private static readonly ILookup<string, MethodInfo> Handlers = (
        from type in typeof(GoldenTests).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        from golden in method.GetCustomAttributes<GoldenAttribute>()
        select (golden.Key, method)).ToLookup(h => h.Key, h => h.method);

    private static readonly Lazy<Dictionary<string, GoldenCase>> Cases = new(() =>
    {
        string folder = Shared.Goldens, path = Path.Combine(folder, "index.json");
        if (!File.Exists(path)) return [];
        using var index = JsonDocument.Parse(File.ReadAllText(path));
        return index.RootElement.Clone().GetProperty("cases").EnumerateArray().Select(c => new GoldenCase(folder, c)).ToDictionary(c => c.Id);
    });

    private const string NoFolder = "no golden folder";

    // A theory without data is a failure; a clone alone has none. LANGEVIN_GOLDENS, a regular expression, picks some.
    public static TheoryData<string> Ids()
    {
        string chosen = Environment.GetEnvironmentVariable("LANGEVIN_GOLDENS") ?? "";
        return Cases.Value.Count > 0 ? [.. Cases.Value.Keys.Where(id => Regex.IsMatch(id, chosen))] : [NoFolder];
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Golden(string id)
    {
        if (id == NoFolder) Assert.Skip($"{Shared.Goldens} holds no index.json: set LANGEVIN_SHARED to run the golden tests");
        var golden = Cases.Value[id];
        string key = $"{golden.Group}/{golden.Family}";
        if (!Handlers.Contains(key))
            Assert.Skip($"no handler yet for the golden family {key}");
        using var scope = NewDisposeScope();
        foreach (var handler in Handlers[key]) handler.CreateDelegate<Action<GoldenCase>>()(golden);
    }
}
