using System.CommandLine;
using Langevin.Hub;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Cli;

/// <summary>Options that commands share, with one meaning everywhere.</summary>
internal static class Options
{
    public static Option<long> Seed() => new("--seed") { Description = "Decides everything random.", DefaultValueFactory = _ => 0 };

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON." };

    public static Option<string> DeviceName()
    {
        var option = new Option<string>("--device") { Description = "auto, cpu or cuda.", DefaultValueFactory = _ => "auto" };
        return option.AcceptOnlyFromAmong("auto", "cpu", "cuda");
    }

    public static Option<int?> Threads() => new("--threads") { Description = "CPU threads; all by default." };

    public static Option<string?> Out(string description) => new("--out", "-o") { Description = description };

    /// <summary>A model's folder: the one that is named, or, of a name "owner/name" on the public hub, the one that has been downloaded.</summary>
    public static string ModelFolder(string text)
    {
        if (Directory.Exists(text) || !HubCache.IsName(text)) return text;
        return HubCache.Default.Find(text) ?? throw new DirectoryNotFoundException($"There is no model folder '{text}', and no such model has been downloaded: langevin models get {text}.");
    }

    /// <summary>The device to work on; naming CUDA where there is none is the user's error.</summary>
    public static Device Resolve(string name)
    {
        NativeRuntime.EnsureLoaded();
        bool cuda = name != "cpu" && torch.cuda.is_available();
        if (name == "cuda" && !cuda) throw new ArgumentException("--device cuda: no CUDA device can be used here. Use --device cpu, and see 'langevin doctor'.");
        return torch.device(cuda ? "cuda" : "cpu");
    }

    /// <summary>How files are read.</summary>
    public static (Option<int?> Size, Option<bool?> Grey, Option<string?> Label) Reading() =>
    (
        new("--size") { Description = "Pictures: scale and cut to squares of this side." },
        new("--grey") { Description = "Pictures: one channel (true) or three (false)." },
        new("--label") { Description = "CSV: the column of class labels, by name or number." }
    );

    public static Option<string> Precision() =>
        new Option<string>("--precision") { Description = "float32, bfloat16 (activations only), or auto: what the device computes fastest in.", DefaultValueFactory = _ => "auto" }
            .AcceptOnlyFromAmong("auto", "float32", "bfloat16");

    /// <summary>The dtype of a network's activations; null for float32.</summary>
    public static ScalarType? Compute(string precision, Device device) => precision switch
    {
        "bfloat16" => ScalarType.BFloat16,
        "auto" when ComputePrecision.Fastest(device) is var fastest and not ScalarType.Float32 => fastest,
        _ => null,
    };

    public static void UseThreads(int? threads)
    {
        NativeRuntime.EnsureLoaded();
        if (threads is < 1) throw new ArgumentException($"--threads {threads}: at least one thread is needed.");
        if (threads is { } n) torch.set_num_threads(n);
    }

    /// <summary>A positive number given on the command line.</summary>
    public static int Positive(int value, string option) => value > 0 ? value : throw new ArgumentException($"{option} {value}: it must be at least 1.");
}
