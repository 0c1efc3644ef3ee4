using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Langevin.Hub;
using static TorchSharp.torch;

namespace Langevin.Tests.Goldens;

/// <summary>Marks a static method <c>void M(GoldenCase c)</c> that judges every case of one family of <c>index.json</c>.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class GoldenAttribute(string group, string family) : Attribute
{
    public string Key => $"{group}/{family}";
}

/// <summary>One case of a golden folder: its recorded configuration, its tensors and the tolerance the index gives.</summary>
public sealed partial class GoldenCase
{
    private readonly Lazy<IReadOnlyDictionary<string, Tensor>> tensors;

    public GoldenCase(string folder, JsonElement entry)
    {
        Id = entry.GetProperty("id").GetString()!;
        Group = entry.GetProperty("group").GetString()!;
        Family = entry.GetProperty("family").GetString()!;
        Config = entry.GetProperty("config");
        ToleranceText = entry.GetProperty("tolerance").GetString() ?? "";
        Notes = entry.TryGetProperty("notes", out var notes) ? notes.GetString() ?? "" : "";
        tensors = new(() => SafeTensors.Load(Path.Combine(folder, entry.GetProperty("file").GetString()!)));
        Relative = Number("rtol", 0).value;
        (Absolute, AbsoluteOfMax) = Number("atol", 0);
    }

    public string Id { get; }
    public string Group { get; }
    public string Family { get; }
    public JsonElement Config { get; }
    public string ToleranceText { get; }
    public string Notes { get; }

    /// <summary>First "rtol" of the index's text.</summary>
    public double Relative { get; }

    /// <summary>First "atol" of the index's text; a share of max|tensor| when <see cref="AbsoluteOfMax"/>.</summary>
    public double Absolute { get; }
    public bool AbsoluteOfMax { get; }

    public Tensor this[string name] => tensors.Value.TryGetValue(name, out var t) ? t : throw new KeyNotFoundException($"{Id} has no tensor '{name}'");
    public IReadOnlyDictionary<string, Tensor> Tensors => tensors.Value;
    public bool Has(string name) => tensors.Value.ContainsKey(name);

    public double Double(string key, double fallback = double.NaN) =>
        Config.TryGetProperty(key, out var v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : fallback;
    public int Int(string key, int fallback = 0) => (int)Double(key, fallback);
    public bool Bool(string key, bool fallback = false) =>
        Config.TryGetProperty(key, out var v) && v.ValueKind is JsonValueKind.True or JsonValueKind.False ? v.GetBoolean() : fallback;
    public string Text(string key, string fallback = "") =>
        Config.TryGetProperty(key, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : fallback;

    /// <summary>Asserts that our result equals the recorded tensor at the index's tolerance.</summary>
    public void Check(string name, Tensor actual, double? relative = null, double? absolute = null) =>
        Check(name, this[name], actual, relative, absolute);

    /// <summary>Asserts closeness to a given expectation; where the reference gives a non-finite number, ours must only be finite.</summary>
    public void Check(string name, Tensor expected, Tensor actual, double? relative = null, double? absolute = null)
    {
        using var scope = NewDisposeScope();
        var want = expected.to(ScalarType.Float64);
        var got = actual.detach().cpu().to(ScalarType.Float64);
        Assert.True(want.shape.SequenceEqual(got.shape), $"{Id} {name}: shape [{string.Join(",", got.shape)}], expected [{string.Join(",", want.shape)}]");
        if (want.numel() == 0) return;
        Assert.True(got.isfinite().logical_or(want.isinf().logical_and(got.eq(want))).all().item<bool>(), $"{Id} {name}: our result is not finite");
        var finite = want.isfinite();
        want = where(finite, want, zeros_like(want));
        got = where(finite, got, zeros_like(got));
        double atol = absolute ?? (AbsoluteOfMax ? Absolute * want.abs().max().item<double>() : Absolute);
        var excess = (got - want).abs() - (atol + (relative ?? Relative) * want.abs());
        double worst = excess.max().item<double>();
        if (worst <= 0) return;
        long at = excess.flatten().argmax().item<long>();
        Assert.Fail($"{Id} {name}: at flat index {at} got {got.flatten()[at].item<double>():R}, expected {want.flatten()[at].item<double>():R}; "
            + $"max |difference| {(got - want).abs().max().item<double>():g4}, rtol {relative ?? Relative:g}, atol {atol:g}");
    }

    private (double value, bool ofMax) Number(string key, double fallback)
    {
        var match = NumberAfter(key).Match(ToleranceText);
        return match.Success
            ? (double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[2].Success)
            : (fallback, false);
    }

    private static Regex NumberAfter(string key) => new(key + @"\s+([0-9.]+(?:e[-+]?\d+)?)(\*max(?:\|\w+\|)?)?", RegexOptions.IgnoreCase);
}
