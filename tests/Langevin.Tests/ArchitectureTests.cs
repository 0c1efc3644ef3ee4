using System.Text.RegularExpressions;

namespace Langevin.Tests;

/// <summary>The rules of the house: what may refer to what.</summary>
public partial class ArchitectureTests
{
    // From the bottom up; a namespace may use those before it.
    private static readonly string[] Core =
        ["Networks", "Processes", "Denoisers", "Guidance", "Samplers", "Discrete", "Manifolds", "Inverse", "Objectives", "Training", "Formulations"];

    private static readonly Dictionary<string, string[]> Forbidden = new()
    {
        ["Networks"] = [.. Core.Except(["Networks"])],
        ["Processes"] = [.. Core.Except(["Processes"])],
        ["Denoisers"] = ["Guidance", "Samplers", "Discrete", "Manifolds", "Inverse", "Objectives", "Training", "Formulations"],
        ["Guidance"] = ["Samplers", "Discrete", "Manifolds", "Inverse", "Objectives", "Training", "Formulations"],
        ["Samplers"] = ["Discrete", "Manifolds", "Inverse", "Objectives", "Training", "Formulations"],
        ["Discrete"] = ["Denoisers", "Guidance", "Manifolds", "Inverse", "Objectives", "Training", "Formulations"],
        ["Manifolds"] = ["Guidance", "Discrete", "Inverse", "Objectives", "Training", "Formulations"],
        ["Inverse"] = ["Manifolds", "Objectives", "Training", "Formulations"],
        ["Objectives"] = ["Inverse", "Training", "Formulations"],
        ["Training"] = ["Inverse", "Formulations"],
    };

    [Fact]
    public void Namespaces_of_the_core_point_downwards()
    {
        var wrong =
            from room in Forbidden
            from file in Directory.EnumerateFiles(Path.Combine(Shared.Root, "src", "Langevin", room.Key), "*.cs", SearchOption.AllDirectories)
            from Match use in Using().Matches(File.ReadAllText(file))
            where room.Value.Contains(use.Groups[1].Value)
            select $"{Path.GetRelativePath(Shared.Root, file)} uses {use.Groups[1].Value}";
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(typeof(NativeRuntime), "Langevin", "TorchSharp")]
    [InlineData(typeof(Langevin.Data.IDataset), "Langevin.Data", "Langevin", "TorchSharp", "SkiaSharp", "NAudio.Core", "SharpCompress")]
    [InlineData(typeof(Langevin.Hub.SafeTensors), "Langevin.Hub", "Langevin", "TorchSharp", "Microsoft.ML.Tokenizers", "Microsoft.ML.OnnxRuntime", "Google.Protobuf")]
    [InlineData(typeof(Langevin.Metrics.Agreement), "Langevin.Metrics", "Langevin", "Langevin.Hub", "TorchSharp")]
    [InlineData(typeof(Langevin.Systems.Bench), "Langevin.Systems", "Langevin", "Langevin.Data", "Langevin.Hub", "Langevin.Metrics", "TorchSharp")]
    public void Assemblies_refer_to_what_they_may(Type inside, string name, params string[] allowed)
    {
        Assert.Equal(name, inside.Assembly.GetName().Name);
        var others = inside.Assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(a => !a.StartsWith("System.", StringComparison.Ordinal)).Except(allowed);
        Assert.Equal([], others);
    }

    [GeneratedRegex(@"^using (?:static )?Langevin\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Using();
}
