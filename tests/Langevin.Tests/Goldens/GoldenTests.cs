using System.Reflection;
using System.Text.Json;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>
/// Judges every case of the golden folder: the one that <c>LANGEVIN_SHARED</c> names, else <c>../shared</c> beside the
/// repository, else the small copy that ships with the tests. A family without a handler is a named skip.
/// </summary>
public class GoldenTests
{
    private static readonly Dictionary<string, MethodInfo> Handlers = (
        from type in typeof(GoldenTests).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        from golden in method.GetCustomAttributes<GoldenAttribute>()
        select (golden.Key, method)).ToDictionary(h => h.Key, h => h.method);

    private static readonly Lazy<Dictionary<string, GoldenCase>> Cases = new(() =>
    {
        string folder = Shared.Goldens;
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json")));
        return index.RootElement.Clone().GetProperty("cases").EnumerateArray().Select(c => new GoldenCase(folder, c)).ToDictionary(c => c.Id);
    });

    public static TheoryData<string> Ids() => [.. Cases.Value.Keys];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Golden(string id)
    {
        var golden = Cases.Value[id];
        string key = $"{golden.Group}/{golden.Family}";
        if (!Handlers.TryGetValue(key, out var handler))
            Assert.Skip($"no handler yet for the golden family {key}");
        using var scope = NewDisposeScope();
        handler.CreateDelegate<Action<GoldenCase>>()(golden);
    }
}
