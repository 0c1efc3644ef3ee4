using System.Text.Json;
using System.Text.Json.Nodes;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>A model's folder in the diffusers layout: <c>model_index.json</c> and a folder for each part.</summary>
public sealed class ModelFolder
{
    private const long MostJson = 16 << 20;

    // In the order of preference: safetensors first, which hold nothing but tensors.
    private static readonly string[] Files =
    [
        "diffusion_pytorch_model.safetensors", "model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors", "diffusion_pytorch_model.bin", "pytorch_model.bin",
    ];

    private readonly JsonObject index;

    private ModelFolder(string path, JsonObject index) => (Path, this.index) = (path, index);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The pipeline's class in diffusers.</summary>
    public string ClassName => index["_class_name"]?.GetValue<string>() ?? "";

    /// <summary>The parts that the model has, with their classes.</summary>
    public IReadOnlyDictionary<string, string> Parts => index.Where(p => p.Value is JsonArray { Count: 2 } a && a[1] is not null).ToDictionary(p => p.Key, p => ((JsonArray)p.Value!)[1]!.GetValue<string>());

    /// <summary>Opens a folder; weights are read later.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">It has no sound model_index.json.</exception>
    public static ModelFolder Open(string path)
    {
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"There is no model folder '{path}'.");
        string file = System.IO.Path.Combine(path, "model_index.json");
        return new(path, Json(file));
    }

    /// <summary>A switch of the pipeline, false where it is not given.</summary>
    public bool Flag(string name) => index[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>The text of a part's configuration.</summary>
    /// <param name="part">Its name.</param>
    /// <param name="file">The file: <c>scheduler_config.json</c> for a scheduler.</param>
    /// <exception cref="InvalidDataException">It is missing or too large.</exception>
    public string Config(string part, string file = "config.json") => Text(Inside(part, file));

    /// <summary>The folder of a part.</summary>
    public string Folder(string part) => System.IO.Path.Combine(Path, part);

    /// <summary>Reads the weights of a part into a module, tensor for tensor, whatever files hold them.</summary>
    /// <param name="module">Receives them.</param>
    /// <param name="part">Its name.</param>
    /// <param name="renamed">Other keys for what is read; null for none.</param>
    /// <exception cref="InvalidDataException">There are none, they are damaged, or they do not fit.</exception>
    public void Load(nn.Module module, string part, Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>>? renamed = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var scope = NewDisposeScope();
        string file = WeightFile(part);
        var weights = file.EndsWith(".index.json", StringComparison.Ordinal) ? Shards(part, file) : Read(file);
        StateDict.Load(module, renamed is null ? weights : renamed(weights), $"The weights in '{file}'");
        module.eval();
    }

    /// <summary>The file that holds a part's weights, or the list of its shards.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public string WeightFile(string part) =>
        Files.SelectMany(f => new[] { f, f + ".index.json" }).Select(f => Inside(part, f)).FirstOrDefault(File.Exists)
        ?? throw new InvalidDataException($"'{Folder(part)}' holds no weights: one of {string.Join(", ", Files)} is expected, or one of these with .index.json.");

    private Dictionary<string, Tensor> Shards(string part, string list)
    {
        if (Json(list)["weight_map"] is not JsonObject map) throw new InvalidDataException($"'{list}' has no weight_map.");
        var all = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var shard in map.GroupBy(p => p.Value is JsonValue v && v.TryGetValue(out string? name) ? name! : throw new InvalidDataException($"'{list}': the shard of '{p.Key}' is no name.")))
        {
            if (System.IO.Path.GetFileName(shard.Key) != shard.Key) throw new InvalidDataException($"'{list}' names '{shard.Key}', which is not a file of its own folder.");
            string file = Inside(part, shard.Key);
            if (!File.Exists(file)) throw new InvalidDataException($"'{list}' names '{shard.Key}', which is missing.");
            foreach (var (key, value) in Read(file))
                if (!all.TryAdd(key, value)) throw new InvalidDataException($"'{list}': '{key}' is in two shards.");
        }
        return all;
    }

    /// <summary>The tensors of a file, by what its name says of its format; the caller's.</summary>
    internal static IReadOnlyDictionary<string, Tensor> Read(string file) => file.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? SafeTensors.Load(file) : TorchFile.Load(file);

    private string Inside(string part, string file) => System.IO.Path.Combine(Path, part, file);

    private static JsonObject Json(string file)
    {
        try
        {
            return JsonNode.Parse(Text(file)) as JsonObject ?? throw new InvalidDataException($"'{file}' is no JSON object.");
        }
        catch (JsonException e) { throw new InvalidDataException($"'{file}' is not JSON: {e.Message}", e); }
    }

    private static string Text(string file)
    {
        if (!File.Exists(file)) throw new InvalidDataException($"'{file}' is missing: this is no model in the diffusers layout.");
        return new FileInfo(file).Length <= MostJson ? File.ReadAllText(file) : throw new InvalidDataException($"'{file}' is larger than {MostJson >> 20} MiB.");
    }
}
