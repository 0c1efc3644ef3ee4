using System.Globalization;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>What a part of a model weighs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ClassName">Its class.</param>
/// <param name="Parameters">Numbers in its files.</param>
/// <param name="FileType">Their type there: "F16", "F32", ...; several joined by "+".</param>
/// <param name="FileBytes">Size of its files.</param>
/// <param name="Bytes">Its size in memory.</param>
public sealed record PartSize(string Name, string ClassName, long Parameters, string FileType, long FileBytes, long Bytes);

/// <summary>What memory a model will need for its weights, told from its files' headers before anything is read.</summary>
/// <param name="Parts">Its parts that have weights.</param>
/// <param name="Peak">Bytes of weights that are in memory at once at most: of all parts, or, read one after another, of the largest (both text models count as one).</param>
public sealed record MemoryPlan(IReadOnlyList<PartSize> Parts, long Peak)
{
    /// <summary>The plan of a model's folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How it will be held.</param>
    /// <exception cref="InvalidDataException">Weights are missing or damaged.</exception>
    public static MemoryPlan Of(ModelFolder folder, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var parts = folder.Parts.Where(p => p.Value is not ("CLIPFeatureExtractor" or "CLIPImageProcessor" or "CLIPTokenizer" or "CLIPTokenizerFast" or "StableDiffusionSafetyChecker") && !p.Value.EndsWith("Scheduler", StringComparison.Ordinal))
            .Select(p => Size(folder, p.Key, p.Value)).ToArray();
        return new MemoryPlan(parts, 0).Under(options ?? new());
    }

    /// <summary>The same model's plan, held in another way; nothing is read again.</summary>
    public MemoryPlan Under(LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int each = options.Type is ScalarType.Float16 or ScalarType.BFloat16 ? 2 : 4;
        var parts = Parts.Select(p => p with { Bytes = p.Parameters * each }).ToArray();
        var together = parts.GroupBy(p => p.Name.StartsWith("text_encoder", StringComparison.Ordinal) ? "text" : p.Name).Select(g => g.Sum(p => p.Bytes)).ToArray();
        return new(parts, options.Sequential ? together.DefaultIfEmpty(0).Max() : together.Sum());
    }

    /// <summary>A number of bytes as a person reads it.</summary>
    public static string Text(long bytes) => bytes < 1 << 20 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:f1} KiB")
        : bytes < 1L << 30 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):f1} MiB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):f2} GiB");

    private static PartSize Size(ModelFolder folder, string name, string className)
    {
        long count = 0, bytes = 0;
        var types = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string file in folder.FilesOf(name))
        {
            bytes += new FileInfo(file).Length;
            if (ModelFolder.IsSafetensors(file))
            {
                using var open = SafeTensors.Open(file);
                count += open.Names.Sum(n => open.Shape(n).Aggregate(1L, (a, b) => a * b));
                types.UnionWith(open.Names.Select(open.FileType));
            }
            else
            {
                using var scope = NewDisposeScope();
                var all = TorchFile.Load(file).Values;
                count += all.Sum(t => t.numel());
                types.UnionWith(all.Select(t => t.dtype switch { ScalarType.Float32 => "F32", ScalarType.Float16 => "F16", ScalarType.BFloat16 => "BF16", ScalarType.Int64 => "I64", var other => other.ToString() }));
            }
        }
        return new(name, className, count, string.Join('+', types), bytes, 0);
    }
}
