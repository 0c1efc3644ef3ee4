using System.Runtime.CompilerServices;

// libtorch uses all cores by itself, and its default generator and tensor count are global.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Langevin.Tests;

internal static class ModuleInit
{
    [ModuleInitializer]
    internal static void Load() => NativeRuntime.EnsureLoaded();
}
