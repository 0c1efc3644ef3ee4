using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>Weights of one format or precision into safetensors of another.</summary>
public static class WeightConversion
{
    private static readonly string[] Weights = [".safetensors", ".bin", ".pt", ".pth", ".ckpt"];

    /// <summary>Whether a file's name is that of weights.</summary>
    public static bool IsWeights(string path) => Weights.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Writes the tensors of a file as safetensors.</summary>
    /// <param name="source">safetensors, or a PyTorch file, of which only tensors are read.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="type">Type for numbers with a fraction; null for their own.</param>
    /// <returns>How many tensors, and how many numbers.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or is no such file.</exception>
    public static (int Tensors, long Numbers) File(string source, string target, ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        var all = ModelFolder.Read(source);
        Save(target, all, type);
        return (all.Count, all.Values.Sum(t => t.numel()));
    }

    /// <summary>Copies a model's folder with all its weights as safetensors of one precision.</summary>
    /// <param name="source">The folder.</param>
    /// <param name="target">Another folder.</param>
    /// <param name="type">Type for numbers with a fraction; null for their own.</param>
    /// <param name="progress">Told each file.</param>
    /// <exception cref="ArgumentException">The folders are one, or one lies in the other.</exception>
    public static void Folder(string source, string target, ScalarType? type = null, Action<string>? progress = null)
    {
        string from = Full(source), to = Full(target);
        if (from.StartsWith(to, StringComparison.Ordinal) || to.StartsWith(from, StringComparison.Ordinal)) throw new ArgumentException($"'{target}' must be another folder than '{source}', and neither may lie in the other.", nameof(target));
        if (!Directory.Exists(from)) throw new DirectoryNotFoundException($"There is no model folder '{source}'.");
        string[] files = [.. Directory.EnumerateFiles(from, "*", new EnumerationOptions { RecurseSubdirectories = true }).Order(StringComparer.Ordinal)];
        foreach (string file in files)
        {
            string name = Path.GetRelativePath(from, file), place = Path.Combine(to, name);
            progress?.Invoke(name);
            if (!IsWeights(file))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                System.IO.File.Copy(file, place, overwrite: true);
                continue;
            }
            string safe = Path.ChangeExtension(place, ".safetensors") is var other && Path.GetFileName(other) == "pytorch_model.safetensors" ? Path.Combine(Path.GetDirectoryName(place)!, "model.safetensors") : other;
            // The same weights twice, once as a pickle: the other is the better source.
            if (!ModelFolder.IsSafetensors(file) && files.Contains(Path.Combine(from, Path.GetRelativePath(to, safe)))) continue;
            File(file, safe, type);
        }
    }

    /// <summary>Writes tensors as Python's loaders expect them, numbers with a fraction in a type.</summary>
    internal static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> weights, ScalarType? type) =>
        SafeTensors.Save(path, weights.Select(p => KeyValuePair.Create(p.Key, type is { } wanted && p.Value.is_floating_point() ? p.Value.to(wanted) : p.Value)), new Dictionary<string, string> { ["format"] = "pt" });

    private static string Full(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;
}
