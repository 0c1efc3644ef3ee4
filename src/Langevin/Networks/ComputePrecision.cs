using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Which dtype a device computes convolutions and matrix products in fastest.</summary>
public static class ComputePrecision
{
    /// <summary>
    /// Whether this processor multiplies bfloat16 (AVX512_BF16 or AMX). Where it does, convolutions take about half of
    /// float32's time; where it does not, libtorch's fallback is more than a hundred times slower.
    /// </summary>
    public static bool CpuHasBFloat16 { get; } = Detect();

    /// <summary>bfloat16 on a CPU that multiplies it, else float32.</summary>
    /// <param name="device">Where the network runs; null for the CPU.</param>
    public static ScalarType Fastest(Device? device = null) =>
        (device?.type ?? TorchSharp.DeviceType.CPU) == TorchSharp.DeviceType.CPU && CpuHasBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    private static bool Detect()
    {
        if (!X86Base.IsSupported || !Avx512F.IsSupported || X86Base.CpuId(0, 0).Eax < 7) return false;
        bool amx = (X86Base.CpuId(7, 0).Edx >> 22 & 1) == 1;
        bool avx512 = (X86Base.CpuId(7, 1).Eax >> 5 & 1) == 1;
        return amx || avx512;
    }
}
