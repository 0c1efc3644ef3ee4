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

    /// <summary>The part that denoises: a transformer, or else a U-Net.</summary>
    public string DenoisingPart => Parts.ContainsKey("transformer") ? "transformer" : "unet";

    /// <summary>Whether the model has a text model.</summary>
    public bool TakesPrompts => Parts.Keys.Any(p => p.StartsWith("text_encoder", StringComparison.Ordinal));

    /// <summary>Whether a folder holds a published model, and not one that was trained here.</summary>
    public static bool IsPublished(string path) => File.Exists(System.IO.Path.Combine(path, "model_index.json")) && !File.Exists(System.IO.Path.Combine(path, "langevin.json"));

    /// <summary>Reads the network that denoises, whatever its class.</summary>
    /// <param name="type">Type in which the large layers keep their weights; null for single precision.</param>
    /// <exception cref="InvalidDataException">It is missing, damaged or of a class that is not known.</exception>
    public Network LoadDenoisingNetwork(ScalarType? type = null) => Load(DenoisingPart, () => NetworkConfig.Create(Config(DenoisingPart)), type);

    /// <summary>Opens a folder; weights are read later.</summary>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">It has no sound model_index.json.</exception>
    public static ModelFolder Open(string path)
    {
        if (!Directory.Exists(path)) throw new DirectoryNotFoundException($"There is no model folder '{path}'.");
        string file = System.IO.Path.Combine(path, "model_index.json");
        return new(path, Json(file));
    }

    /// <summary>Reads a network that is a folder of its own, as ControlNets are published: config.json and weights.</summary>
    /// <param name="path">Its folder.</param>
    /// <param name="build">Makes the network from its configuration's text.</param>
    /// <param name="type">Type in which the large layers keep their weights; null for single precision.</param>
    /// <exception cref="DirectoryNotFoundException">No such folder.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are missing, damaged or of another network.</exception>
    public static T LoadAlone<T>(string path, Func<string, T> build, ScalarType? type = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(build);
        string full = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(full)) throw new DirectoryNotFoundException($"There is no model folder '{path}'.");
        var parent = new ModelFolder(System.IO.Path.GetDirectoryName(full) ?? full, []);
        string part = System.IO.Path.GetFileName(full.TrimEnd(System.IO.Path.DirectorySeparatorChar));
        return parent.Load(part, () => build(parent.Config(part)), type);
    }

    /// <summary>A switch of the pipeline, false where it is not given.</summary>
    public bool Flag(string name) => index[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>The names of classes with their labels, as DiT's folder lists them; empty where there are none.</summary>
    internal IReadOnlyDictionary<string, long> Labels()
    {
        var names = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        foreach (var (label, list) in index["id2label"] as JsonObject ?? [])
            if (long.TryParse(label, out long id) && list is JsonValue value && value.TryGetValue(out string? text))
                foreach (string name in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)) names.TryAdd(name, id);
        return names;
    }

    /// <summary>The text of a part's configuration.</summary>
    /// <param name="part">Its name.</param>
    /// <param name="file">The file: <c>scheduler_config.json</c> for a scheduler.</param>
    /// <exception cref="InvalidDataException">It is missing or too large.</exception>
    public string Config(string part, string file = "config.json") => Text(Inside(part, file));

    /// <summary>The folder of a part.</summary>
    public string Folder(string part) => System.IO.Path.Combine(Path, part);

    /// <summary>Builds a part whose weights will be read, and reads them.</summary>
    /// <param name="part">Its name.</param>
    /// <param name="build">Makes the network.</param>
    /// <param name="type">Type in which the large layers keep their weights; null for single precision. They compute in that of their input.</param>
    /// <param name="renamed">Other keys for what is read, tensor by tensor; null for none.</param>
    /// <exception cref="InvalidDataException">There are no weights, they are damaged, or they do not fit.</exception>
    public T Load<T>(string part, Func<T> build, ScalarType? type = null, Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>>? renamed = null) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(build);
        WeightFile(part); // before anything is built
        T module;
        using (new UnsetWeights(type)) module = build();
        try
        {
            Load(module, part, renamed);
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    /// <summary>Reads the weights of a part into a module, tensor for tensor, whatever files hold them.</summary>
    /// <param name="module">Receives them.</param>
    /// <param name="part">Its name.</param>
    /// <param name="renamed">Other keys for what is read, tensor by tensor; null for none.</param>
    /// <exception cref="InvalidDataException">There are none, they are damaged, or they do not fit.</exception>
    public void Load(nn.Module module, string part, Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>>? renamed = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var scope = NewDisposeScope();
        var shards = FilesOf(part);
        string source = $"The weights in '{WeightFile(part)}'";
        if (shards.All(IsSafetensors)) LoadSafely(module, shards, renamed ?? (w => w), source);
        else
        {
            var weights = Joined(shards.SelectMany(Read), source);
            StateDict.Load(module, renamed is null ? weights : renamed(weights), source);
        }
        module.eval();
    }

    // One tensor at a time: there is never more in memory than the module and that one.
    private static void LoadSafely(nn.Module module, string[] files, Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> renamed, string source)
    {
        using var still = no_grad();
        var open = new List<SafeTensorsFile>();
        try
        {
            foreach (string file in files) open.Add(SafeTensors.Open(file));
            var all = Joined(open.SelectMany(f => f.Names.Select(n => KeyValuePair.Create(n, empty([.. f.Shape(n)], f.Type(n), META)))), source);
            StateDict.Check(module, renamed(all), source);
            var own = module.state_dict();
            foreach (var file in open)
                foreach (string name in file.Names)
                {
                    using var scope = NewDisposeScope();
                    foreach (var (key, value) in renamed(new Dictionary<string, Tensor> { [name] = file.Read(name) })) own[key].copy_(value);
                }
        }
        finally
        {
            foreach (var file in open) file.Dispose();
        }
    }

    private static Dictionary<string, Tensor> Joined(IEnumerable<KeyValuePair<string, Tensor>> weights, string source)
    {
        var all = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (key, value) in weights)
            if (!all.TryAdd(key, value)) throw new InvalidDataException($"{source}: '{key}' is in two shards.");
        return all;
    }

    /// <summary>The file that holds a part's weights, or the list of its shards.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public string WeightFile(string part) =>
        Files.SelectMany(f => new[] { f, f + ".index.json" }).Select(f => Inside(part, f)).FirstOrDefault(File.Exists)
        ?? throw new InvalidDataException($"'{Folder(part)}' holds no weights: one of {string.Join(", ", Files)} is expected, or one of these with .index.json.");

    private string[] Shards(string part, string list)
    {
        if (Json(list)["weight_map"] is not JsonObject map) throw new InvalidDataException($"'{list}' has no weight_map.");
        return [.. map.Select(p => p.Value is JsonValue v && v.TryGetValue(out string? name) ? name! : throw new InvalidDataException($"'{list}': the shard of '{p.Key}' is no name.")).Distinct().Select(name =>
        {
            if (System.IO.Path.GetFileName(name) != name) throw new InvalidDataException($"'{list}' names '{name}', which is not a file of its own folder.");
            string file = Inside(part, name);
            return File.Exists(file) ? file : throw new InvalidDataException($"'{list}' names '{name}', which is missing.");
        })];
    }

    /// <summary>Whether a file is of safetensors, by its name.</summary>
    public static bool IsSafetensors(string file) => file.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);

    /// <summary>The files that hold a part's weights.</summary>
    internal string[] FilesOf(string part) => WeightFile(part) is var file && file.EndsWith(".index.json", StringComparison.Ordinal) ? Shards(part, file) : [file];

    /// <summary>The tensors of a file, by what its name says of its format; the caller's.</summary>
    internal static IReadOnlyDictionary<string, Tensor> Read(string file) => IsSafetensors(file) ? SafeTensors.Load(file) : TorchFile.Load(file);

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
