using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Langevin.Data;
using Langevin.Formulations;

namespace Langevin.Cli.Runs;

/// <summary>Everything that decides a training run; <c>recipe.json</c> in the run's folder, and the file that <c>--config</c> reads.</summary>
internal sealed record Recipe
{
    /// <summary>Name or path of the data.</summary>
    public string Data { get; init; } = "strokes";

    /// <summary>Keep so many items, drawn at random; null for all.</summary>
    public int? Items { get; init; }

    /// <summary>Pictures: scale and cut to squares of this side; null when all have one size.</summary>
    public int? Size { get; init; }

    /// <summary>Pictures: one channel, or three; null for one where every file is grey.</summary>
    public bool? Grey { get; init; }

    /// <summary>CSV: the column of class labels.</summary>
    public string? Label { get; init; }

    /// <summary>Vectors: bring every coordinate to mean 0 and deviation 1 for the model; null for yes. Samples are given in the data's units.</summary>
    public bool? Standardise { get; init; }

    /// <summary>Pictures: mirror left and right at random in training.</summary>
    public bool Flip { get; init; }

    /// <summary>Pictures: shift by up to so many pixels at random in training.</summary>
    public int Shift { get; init; }

    /// <summary>The formulation and its numbers.</summary>
    public FormulationOptions Formulation { get; init; } = new();

    /// <summary>The network's <c>config.json</c>; null for the preset of the data's shape.</summary>
    public JsonObject? Network { get; init; }

    /// <summary>Whether classes, where the data has them, condition the model.</summary>
    public bool ClassConditional { get; init; } = true;

    public int Steps { get; init; } = 1000;
    public int BatchSize { get; init; } = 64;
    public int Accumulation { get; init; } = 1;
    public double LearningRate { get; init; } = 1e-3;
    public int WarmUp { get; init; } = 50;

    /// <summary>Learning rate after the peak: cosine or constant.</summary>
    public string Schedule { get; init; } = "cosine";
    public double WeightDecay { get; init; }
    public double Beta2 { get; init; } = 0.99;
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of the weights' moving average.</summary>
    public double EmaDecay { get; init; } = 0.99;
    public double ConditionDropout { get; init; } = 0.1;
    public double Guidance { get; init; } = 1;

    /// <summary>Sampling steps for grids and judging; null for the formulation's own.</summary>
    public int? SamplingSteps { get; init; }
    public int SampleEvery { get; init; } = 250;
    public int CheckpointEvery { get; init; } = 250;

    /// <summary>Samples that the run is judged on at its end; 0 for no judgement.</summary>
    public int JudgeSamples { get; init; } = 500;
    public long Seed { get; init; }

    /// <summary>Opens the data.</summary>
    /// <exception cref="ArgumentException">There are fewer items than are asked for.</exception>
    public IDataset OpenData()
    {
        var options = new DataOptions { Size = Size, Grey = Grey, Label = Label };
        var set = Datasets.Open(Data, options);
        if (Items is null) return set;
        if (Items < 1 || Items > set.Count) throw new ArgumentException($"--items {Items}: '{Data}' has {set.Count} items.");
        return Datasets.Open(Data, options with { Count = Items });
    }

    /// <summary>The set in the units of a model that is to be trained on its training part.</summary>
    public IDataset InModelUnits(IDataset set)
    {
        if (set.ItemShape.Length != 1 || Standardise == false) return set;
        var (mean, std) = Standardised.Measure(Judgement.Training(set));
        return new Standardised(set, mean, std);
    }

    /// <summary>The training part with its augmentation.</summary>
    public IDataset TrainingPart(IDataset set)
    {
        var part = Judgement.Training(set);
        return Flip || Shift != 0 ? new Augmented(part, Flip, Shift) : part;
    }

    public string ToJson() => JsonSerializer.Serialize(this, RunJson.Default.Recipe);

    /// <summary>Reads a recipe over defaults: keys that are absent keep them, unknown ones are refused.</summary>
    /// <param name="text">JSON with comments, or YAML where the source's name ends so.</param>
    /// <param name="defaults">What absent keys mean.</param>
    /// <param name="source">The file, for its kind and for errors.</param>
    public static Recipe Parse(string text, Recipe defaults, string source)
    {
        JsonNode? given;
        try { given = Yaml.Is(source) ? Yaml.Parse(text, source) : JsonNode.Parse(text, documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }); }
        catch (JsonException e) { throw new InvalidDataException($"'{source}' is not JSON: {e.Message}", e); }
        if (given is not JsonObject entries) throw new InvalidDataException($"'{source}' must hold keys and values.");
        var merged = JsonNode.Parse(defaults.ToJson())!.AsObject();
        Merge(entries, merged, "", source);
        try { return merged.Deserialize(RunJson.Default.Recipe)!; }
        catch (JsonException e) { throw new InvalidDataException($"'{source}': the value of '{e.Path?.TrimStart('$', '.')}' has the wrong type.", e); }
    }

    private static void Merge(JsonObject given, JsonObject into, string path, string source)
    {
        foreach (var (key, value) in given)
        {
            if (!into.ContainsKey(key))
                throw new InvalidDataException($"'{source}': unknown key '{path}{key}'; the nearest known key is '{path}{Spelling.Nearest(key, into.Select(e => e.Key))}'.");
            if (key == "formulation" && value is JsonObject inner && into[key] is JsonObject target) Merge(inner, target, key + ".", source);
            else into[key] = value?.DeepClone();
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Recipe))]
internal sealed partial class RunJson : JsonSerializerContext;
