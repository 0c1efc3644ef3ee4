using System.Text.Json;
using System.Text.Json.Serialization;
using Langevin.Formulations;

namespace Langevin.Hub;

/// <summary>What a model folder says of itself beyond its networks: <c>langevin.json</c>.</summary>
public sealed record ModelDescription
{
    /// <summary>Version of this file's form.</summary>
    public int FormatVersion { get; init; } = 1;

    /// <summary>The formulation the network was trained under.</summary>
    public required FormulationOptions Formulation { get; init; }

    /// <summary>The data it was trained on, in a word.</summary>
    public required string Data { get; init; }

    /// <summary>Shape of one sample: C, H, W for images, D for vectors.</summary>
    public required IReadOnlyList<long> ItemShape { get; init; }

    /// <summary>A name for each class; empty when unconditional.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Vectors: a name for each coordinate; empty where they have none.</summary>
    public IReadOnlyList<string> ColumnNames { get; init; } = [];

    /// <summary>Vectors: the model's 0 in the data's units, a number a coordinate; null where the model knows the data as they are.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Vectors: the model's 1 in the data's units; null where <see cref="Mean"/> is.</summary>
    public IReadOnlyList<double>? Std { get; init; }

    /// <summary>Steps it was trained for.</summary>
    public long TrainedSteps { get; init; }

    /// <summary>Guidance scale that samples are drawn with unless told otherwise; 1 for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>Denoiser evaluations per sample unless told otherwise; null for the formulation's own.</summary>
    public int? SamplingSteps { get; init; }

    internal string ToJson() => JsonSerializer.Serialize(this, HubJson.Default.ModelDescription);

    internal static ModelDescription Parse(string json, string path)
    {
        try { return JsonSerializer.Deserialize(json, HubJson.Default.ModelDescription) ?? throw new InvalidDataException($"'{path}' is empty."); }
        catch (JsonException e) { throw new InvalidDataException($"'{path}' does not describe a model: {e.Message}", e); }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ModelDescription))]
internal sealed partial class HubJson : JsonSerializerContext;
