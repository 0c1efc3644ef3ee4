using System.Runtime.InteropServices;

namespace Langevin.Native;

/// <summary>
/// glibc gives memory of more than some hundred kilobytes back to the system as soon as it is freed, and takes it again for the next
/// tensor of that size; every page is then touched for the first time once more. Where a page fault is dear, as under a hypervisor,
/// a training step takes three times as long by that. Here freed memory stays with the process.
/// </summary>
internal static partial class Heap
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3; // malloc.h

    // The most that glibc takes for the threshold: half of what a thread's heap can hold.
    private const int Largest = 32 << 20;

    /// <summary>Keeps freed memory, unless the environment sets glibc's allocator up by itself.</summary>
    /// <remarks>All three are needed: heaps of threads other than the first are given back by the padding, whatever the trim threshold.</remarks>
    public static void KeepFreed()
    {
        if (Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(k => k.StartsWith("MALLOC_", StringComparison.Ordinal) || k == "GLIBC_TUNABLES")) return;
        try
        {
            _ = Set(MmapThreshold, Largest);
            _ = Set(TrimThreshold, int.MaxValue);
            _ = Set(TopPad, 512 << 20);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // No glibc: nothing to set.
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int Set(int option, int value);
}
