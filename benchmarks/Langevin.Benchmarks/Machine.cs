using System.Runtime.InteropServices;
using Langevin.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Langevin.Benchmarks;

/// <summary>What the figures were taken on, with its matmul peak as the yardstick of all networks.</summary>
internal sealed class Machine
{
    private const int Side = 1536;

    /// <summary>float32, and bfloat16 where the processor multiplies it.</summary>
    public static IReadOnlyList<ScalarType> Types { get; } =
        ComputePrecision.CpuHasBFloat16 ? [ScalarType.Float32, ScalarType.BFloat16] : [ScalarType.Float32];

    /// <summary>A product of two square matrices, the work that the peak is read from.</summary>
    public static Action Matmul(ScalarType type)
    {
        var (a, b) = (rand(Side, Side).to(type).DetachFromDisposeScope(), rand(Side, Side).to(type).DetachFromDisposeScope());
        return () =>
        {
            using var none = no_grad();
            using var product = a.mm(b);
        };
    }

    /// <summary>Floating-point operations of one such product.</summary>
    public static double MatmulFlops => 2.0 * Side * Side * Side;

    /// <summary>The peaks now: the fastest of 15 products.</summary>
    public string PeakNow() => string.Join(", ", Types.Select(t => $"{MatmulFlops / Clock.Turns(15, Matmul(t))[0].Min() / 1e9:f0} GFLOP/s in {Name(t)}"));

    public static string Name(ScalarType type) => type == ScalarType.BFloat16 ? "bfloat16" : "float32";

    public string Describe() =>
        $"{Processor()}, {Environment.ProcessorCount} logical processors, {get_num_threads()} threads; {RuntimeInformation.OSDescription}; {RuntimeInformation.FrameworkDescription}; "
        + $"TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)}; {DateTime.UtcNow:yyyy-MM-dd}. Matmul peak ({Side}×{Side}): {PeakNow()}.\n";

    private static string Processor() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':') + 1)..].Trim() : RuntimeInformation.ProcessArchitecture.ToString();
}
