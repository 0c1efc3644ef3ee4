using System.Text.Json;
using System.Text.Json.Serialization;

namespace Langevin.Systems;

/// <summary>What a run of a system came to.</summary>
public sealed record SystemResult
{
    /// <summary>The system.</summary>
    public required string Id { get; init; }

    /// <summary>How large it was.</summary>
    public required Scale Scale { get; init; }

    /// <summary>The seeds.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Every arm, the method first.</summary>
    public required IReadOnlyList<ArmResult> Arms { get; init; }

    /// <summary>The method against each other arm.</summary>
    public required IReadOnlyList<Comparison> Comparisons { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTime Date { get; init; }

    /// <summary>Logical processors of the machine.</summary>
    public required int Cores { get; init; }

    /// <summary>Seconds of all arms and seeds together.</summary>
    public double Seconds => Arms.Sum(a => a.Seconds.Sum());

    /// <summary>The worst verdict against a baseline.</summary>
    public Verdict Verdict => Comparisons.Where(c => c.Role == ArmRole.Baseline).Select(c => c.Verdict).DefaultIfEmpty(Verdict.Ties).Max();

    /// <summary>Whether every ablation moves the metric as the paper says.</summary>
    public bool AblationsAsClaimed => Comparisons.All(c => c.AsClaimed != false);

    /// <summary>As JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SystemsJson.Default.SystemResult);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public static SystemResult Parse(string json, string source)
    {
        try
        {
            return JsonSerializer.Deserialize(json, SystemsJson.Default.SystemResult) ?? throw new InvalidDataException($"{source} is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source} is no result of a system: {e.Message}", e);
        }
    }
}

/// <summary>One arm over the seeds.</summary>
/// <param name="Name">The arm.</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Values">The metric, seed by seed.</param>
/// <param name="Figures">What else was measured: the mean over the seeds.</param>
/// <param name="Seconds">Seconds it took, seed by seed.</param>
public sealed record ArmResult(string Name, ArmRole Role, IReadOnlyList<double> Values, IReadOnlyDictionary<string, double> Figures, IReadOnlyList<double> Seconds)
{
    /// <summary>Mean over the seeds.</summary>
    public double Mean => Values.Average();

    /// <summary>Standard deviation over the seeds; 0 for one.</summary>
    public double Std => Values.Count < 2 ? 0 : Math.Sqrt(Values.Sum(v => (v - Mean) * (v - Mean)) / (Values.Count - 1));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SystemResult))]
[JsonSerializable(typeof(IReadOnlyList<SystemResult>))]
[JsonSerializable(typeof(Outcome))]
internal sealed partial class SystemsJson : JsonSerializerContext;
