using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Langevin.Native;

/// <summary>
/// oneDNN 3.7, libtorch's library of fast convolutions, plans its reorderings of weights by the size of the caches. Where the processor
/// does not tell it, as under some hypervisors, it takes it for 0 and loses parts of padded weights (oneDNN issue 5313): convolutions
/// and their gradients come out wrong, or the process ends. There libtorch must use its own.
/// </summary>
internal static class OneDnn
{
    /// <summary>Whether this processor tells no cache sizes: leaf 4 lists the caches on Intel's, leaf 8000001D on AMD's, each with its kind, 0 after the last.</summary>
    public static bool IsUnsafe { get; } = X86Base.IsSupported && Kind(4, 0) == 0 && Kind(unchecked((int)0x8000001D), unchecked((int)0x80000000)) == 0;

    private static int Kind(int leaf, int range) => (uint)X86Base.CpuId(range, 0).Eax >= (uint)leaf ? X86Base.CpuId(leaf, 0).Eax & 31 : 0;

    /// <summary>Turns it off in the loaded libtorch, and NNPACK with it, which such a processor lets warn at every convolution.</summary>
    /// <param name="library">TorchSharp's native library, through which libtorch's symbols are found.</param>
    /// <remarks>TorchSharp does not have <c>at::Context</c>'s switches, so that they are called by their C++ names.</remarks>
    public static unsafe void TurnOff(nint library)
    {
        nint context = ((delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "_ZN2at13globalContextEv"))();
        foreach (string name in (string[])["_ZN2at7Context20setUserEnabledMkldnnEb", "_ZN2at7Context20setUserEnabledNNPACKEb"])
            ((delegate* unmanaged<nint, byte, void>)NativeLibrary.GetExport(library, name))(context, 0);
    }
}
